// JQ for the editor: enough to tell fields, texts, functions and keywords apart.
import { StreamLanguage } from "@codemirror/language";

const WORDS = new Set("def if then elif else end as reduce foreach try catch label and or not".split(" "));
const ATOMS = new Set(["true", "false", "null", "empty"]);

function string(stream, state) {
  while (!stream.eol()) {
    if (stream.match("\\(")) { state.depths.push(0); return "string"; }
    if (stream.next() === "\\") stream.next();
    else if (stream.string[stream.pos - 1] === '"') { state.inString.pop(); return "string"; }
  }
  return "string";
}

function token(stream, state) {
  if (state.inString.length > state.depths.length) return string(stream, state);
  if (stream.eatSpace()) return null;
  if (stream.match(/^#.*/)) return "comment";
  if (stream.match('"')) { state.inString.push(true); return string(stream, state); }
  if (state.depths.length) {
    if (stream.peek() === "(") state.depths[state.depths.length - 1]++;
    if (stream.peek() === ")" && state.depths[state.depths.length - 1]-- === 0) {
      state.depths.pop();
      stream.next();
      return "string";
    }
  }
  if (stream.match(/^\.[A-Za-z_]\w*/)) return "propertyName";
  if (stream.match(/^\$(__loc__|[A-Za-z_]\w*)/)) return "variableName.special";
  if (stream.match(/^@[a-z0-9]+/)) return "keyword";
  if (stream.match(/^\d+(\.\d+)?([eE][+-]?\d+)?/)) return "number";
  const word = stream.match(/^[A-Za-z_]\w*/);
  if (word) {
    if (WORDS.has(word[0])) return "keyword";
    return ATOMS.has(word[0]) ? "atom" : "variableName.function";
  }
  if (stream.match(/^(\/\/=?|\|=|[!=<>]=|\?\/\/|[-+*/%]=?|[|,;:?<>=])/)) return "operator";
  stream.next();
  return "punctuation";
}

export const jq = StreamLanguage.define({
  name: "jq",
  startState: () => ({ inString: [], depths: [] }),
  copyState: (state) => ({ inString: [...state.inString], depths: [...state.depths] }),
  token,
});
