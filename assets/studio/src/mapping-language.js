// YAML with JQ where the mapping has expressions: in the values of these keys, and between {{ and }}.
import { parseMixed } from "@lezer/common";
import { LanguageSupport } from "@codemirror/language";
import { yamlLanguage } from "@codemirror/lang-yaml";
import { jq } from "./jq.js";

const EXPRESSIONS = new Set(
  ("query data_path identifier title blueprint icon team itemsToParse field filter index_by record delete start end " +
    "cursor_path next_link_path total_path has_more_path total_pages_path last_page_path").split(" "),
);
const SECTIONS = new Set(["properties", "relations", "with"]);
const SCALARS = new Set(["Literal", "QuotedLiteral", "BlockLiteralContent"]);

/** The keys that lead to a node, the innermost first. */
export function keysAbove(node, input) {
  const keys = [];
  for (let at = node; at; at = at.parent) {
    if (at.name !== "Pair") continue;
    const key = at.getChild("Key");
    if (key) keys.push(input.read(key.from, key.to).replace(/^(["'])(.*)\1$/, "$2"));
  }
  return keys;
}

function isExpression(keys, text) {
  const [key, above] = keys;
  if (key === undefined) return false;
  if (key === "body") return !keys.slice(1).includes("body");
  if (SECTIONS.has(above)) return above !== "with" || keys.includes("path_parameters");
  if (!EXPRESSIONS.has(key)) return false;
  return key !== "title" || keys.includes("entity") || text.includes(".");
}

const wrap = parseMixed((node, input) => {
  if (!SCALARS.has(node.name)) return null;
  let inside = false;
  for (let at = node.node; at; at = at.parent) if (at.name === "Key") inside = true;
  if (inside) return null;
  const text = input.read(node.from, node.to);
  const isQuoted = node.name === "QuotedLiteral";
  if (isExpression(keysAbove(node.node, input), text)) {
    if (!isQuoted) return { parser: jq.parser };
    return node.to - node.from > 2 ? { parser: jq.parser, overlay: [{ from: node.from + 1, to: node.to - 1 }] } : null;
  }
  const spans = [...text.matchAll(/\{\{(.*?)\}\}/gs)]
    .map((found) => ({ from: node.from + found.index + 2, to: node.from + found.index + found[0].length - 2 }))
    .filter((span) => span.to > span.from);
  return spans.length ? { parser: jq.parser, overlay: spans } : null;
});

const language = yamlLanguage.configure({ wrap }, "mapping");

export function mapping() {
  return new LanguageSupport(language);
}
