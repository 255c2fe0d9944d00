// The editor of the mapping: YAML with JQ in it, completion, and the problems that the studio's check finds.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { HighlightStyle, bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { forceLinting, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, Transaction } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { h } from "./dom.js";
import { mapping } from "./mapping-language.js";

const nonce = document.querySelector("meta[name=nonce]")?.content ?? "";

const theme = EditorView.theme({
  "&": { height: "100%", backgroundColor: "var(--panel)", color: "var(--ink)", fontSize: "13px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace", lineHeight: "1.6" },
  ".cm-content": { padding: "10px 0", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--soft)", border: "none" },
  ".cm-activeLine": { backgroundColor: "var(--line-ground)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--line-ground)", color: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection) !important" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-ground)", outline: "1px solid var(--accent)" },
  ".cm-selectionMatch": { backgroundColor: "var(--warn-ground)" },
  ".cm-foldGutter .cm-gutterElement": { cursor: "pointer" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn) 1px", textUnderlineOffset: "3px" },
  ".cm-lint-marker": { width: "10px", height: "10px", padding: "0", margin: "5px 2px 0", content: "''", borderRadius: "50%" },
  ".cm-lint-marker-error": { content: "''", backgroundColor: "var(--bad)" },
  ".cm-lint-marker-warning": { content: "''", backgroundColor: "var(--warn)", borderRadius: "2px" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "8px", boxShadow: "0 8px 24px #0003", overflow: "hidden", maxWidth: "520px" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "inherit", maxHeight: "16em" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-ground)", color: "var(--accent)" },
  ".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal", marginLeft: "1.2em" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 12px", lineHeight: "1.45", maxWidth: "340px" },
  ".cm-diagnostic": { padding: "8px 12px", borderLeft: "3px solid var(--bad)", whiteSpace: "normal" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-panels": { backgroundColor: "var(--sunk)", color: "var(--ink)", borderColor: "var(--line) !important" },
  ".cm-textfield": { backgroundColor: "var(--panel)", border: "1px solid var(--line)", borderRadius: "6px", color: "var(--ink)" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--panel)", border: "1px solid var(--line)", borderRadius: "6px", color: "var(--ink)" },
  ".cm-placeholder": { color: "var(--soft)" },
});

const colours = syntaxHighlighting(HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName)], color: "var(--tone-key)", fontWeight: "560" },
  { tag: tags.propertyName, color: "var(--tone-field)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--tone-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--tone-number)" },
  { tag: [tags.keyword, tags.operatorKeyword], color: "var(--tone-word)" },
  { tag: [tags.function(tags.variableName), tags.variableName], color: "var(--tone-function)" },
  { tag: tags.special(tags.variableName), color: "var(--tone-variable)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: [tags.operator, tags.punctuation, tags.separator], color: "var(--soft)" },
]));

function around() {
  return [
    EditorView.cspNonce.of(nonce),
    lineNumbers(), highlightActiveLineGutter(), history(), drawSelection(), indentUnit.of("  "), indentOnInput(),
    bracketMatching(), closeBrackets(), highlightActiveLine(), highlightSelectionMatches(), colours, theme,
    EditorState.tabSize.of(2),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...completionKeymap, ...lintKeymap]),
  ];
}

/** A position of the check, from 1 and in characters, as one of the editor. */
function position(doc, line, column) {
  const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const before = [...at.text].slice(0, Math.max(column - 1, 0)).join("").length;
  return at.from + Math.min(before, at.length);
}

function diagnostic(doc, problem) {
  const line = problem.line ?? 1;
  const from = problem.line ? position(doc, line, problem.column) : 0;
  const to = problem.line ? Math.max(position(doc, line, problem.to), from) : Math.min(1, doc.length);
  const severity = problem.severity;
  return {
    from, to, severity, message: problem.message, markClass: `mark-${severity}`,
    renderMessage: () => h("div.said", {},
      h("p", {}, h("code", { class: severity === "error" ? "bad" : "warned" }, problem.code), " ", problem.message),
      problem.hint ? h("p.hint", {}, problem.hint) : null),
  };
}

export class MappingEditor {
  /** An editor in `parent`. `changed(text)` is told of every change, `moved(line)` of every line the cursor comes to. */
  constructor(parent, { text, complete, changed, moved, save }) {
    let line = 0;
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          mapping(), lintGutter(), foldGutter(), ...around(),
          keymap.of([{ key: "Mod-s", run: () => { save(); return true; }, preventDefault: true }, indentWithTab]),
          autocompletion({ override: [complete], icons: false }),
          placeholder("Begin on the right with Connect, or paste a mapping here."),
          EditorView.contentAttributes.of({ "aria-label": "Mapping, YAML. Escape, then Tab leaves the editor" }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) changed(this.text);
            if (update.docChanged || update.selectionSet) {
              const now = update.state.doc.lineAt(update.state.selection.main.head).number;
              if (now !== line) { line = now; moved(now); }
            }
          }),
        ],
      }),
    });
  }

  get text() { return this.view.state.doc.toString(); }

  /** Put `text` in place of what there is; what stays the same keeps its place, and undo takes it back. */
  replace(text, { isQuiet = false } = {}) {
    const before = this.text;
    if (before === text) return;
    let start = 0;
    const most = Math.min(before.length, text.length);
    while (start < most && before[start] === text[start]) start++;
    let end = 0;
    while (end < most - start && before[before.length - 1 - end] === text[text.length - 1 - end]) end++;
    const insert = text.slice(start, text.length - end);
    this.view.dispatch({
      changes: { from: start, to: before.length - end, insert },
      selection: isQuiet ? undefined : { anchor: start + insert.trimEnd().length },
      scrollIntoView: !isQuiet,
      annotations: Transaction.userEvent.of("input.studio"),
    });
  }

  /** Put what `ask(text)` answers, `{text}`, in place of the text that it was given. What is typed meanwhile stays: the
   * newer text is asked about then, and the cursor stays where somebody put it. Returns the answer that was taken. */
  async rewrite(ask, { isQuiet = false } = {}) {
    const { selection } = this.view.state;
    for (;;) {
      const { doc } = this.view.state;
      const answer = await ask(doc.toString());
      if (!this.view.state.doc.eq(doc)) continue;
      this.replace(answer.text, { isQuiet: isQuiet || !this.view.state.selection.eq(selection) });
      return answer;
    }
  }

  /** Put `text` where the cursor is. */
  insert(text) {
    this.view.dispatch(this.view.state.replaceSelection(text));
    this.view.focus();
  }

  mark(problems) {
    const { doc } = this.view.state;
    this.view.dispatch(setDiagnostics(this.view.state, problems.map((problem) => diagnostic(doc, problem))));
    forceLinting(this.view);
  }

  goTo(line, column) {
    const at = position(this.view.state.doc, line, column);
    this.view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    this.view.focus();
  }
}

/** A small editor of JSON. */
export function jsonEditor(parent, text, label, changed) {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        json(), ...around(),
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
      ],
    }),
  });
}
