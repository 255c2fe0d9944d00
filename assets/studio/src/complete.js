// Completion: keys and values by the schema of the mapping file, and in expressions the fields of the record in view.

const FUNCTIONS = (
  "add all any ascii_downcase ascii_upcase contains del empty endswith explode first flatten floor from_entries " +
  "fromdate fromdateiso8601 fromjson gsub has implode index inside join keys last length limit ltrimstr map match max " +
  "max_by min min_by not now range reverse round rtrimstr select sort sort_by split startswith strftime strptime sub " +
  "test to_entries todate tojson tonumber tostring type unique unique_by values with_entries"
).split(" ");

const FIELD = /\.(?:[A-Za-z_]\w*\.|"[^"]*"\.|[A-Za-z_]\w*\[\]\.)*[A-Za-z_]?\w*$/;

function keyOf(line) {
  const found = /^(\s*(?:- +)*)(?:"([^"]*)"|'([^']*)'|([^\s#'"{}[\],&*][^#{}[\],]*?))\s*:(?:\s|$)/.exec(line);
  return found ? { column: found[1].length, name: found[2] ?? found[3] ?? found[4] } : null;
}

function dashesOf(line) {
  const columns = [];
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "-" && (line[at + 1] === " " || at + 1 === line.length)) { columns.push(at); at++; } else if (line[at] !== " ") break;
  }
  return columns;
}

/** The keys that lead to what stands at `column` of a line, `[]` for an element of a list. Lines count from 1. */
export function pathAt(doc, number, column) {
  const path = [];
  let limit = column;
  const add = (part, at) => { path.unshift(part); limit = at; };
  const addItems = (line) => {
    for (const dash of dashesOf(line).reverse()) if (dash < limit) add("[]", dash);
  };
  addItems(doc.line(number).text);
  for (let at = number - 1; at >= 1 && (limit > 0 || path[0] === "[]"); at--) {
    const line = doc.line(at).text;
    if (!line.trim() || line.trim().startsWith("#")) continue;
    const key = keyOf(line);
    // A list may stand in the column of its own key.
    if (key && (key.column < limit || (path[0] === "[]" && key.column === limit))) add(key.name, key.column);
    addItems(line);
  }
  return path;
}

function arms(schema, node) {
  if (!node || node === true) return [];
  if (node.$ref) return arms(schema, schema.$defs[node.$ref.split("/").at(-1)]);
  const inner = node.anyOf ?? node.oneOf;
  if (inner) return inner.flatMap((arm) => arms(schema, arm).map((each) => ({ description: node.description, ...each })));
  return node.type === "null" ? [] : [node];
}

function below(schema, node, part, typeOf) {
  return arms(schema, node).flatMap((arm) => {
    if (part === "[]") return arm.items ? [arm.items] : [];
    const found = arm.properties?.[part] ?? (typeof arm.additionalProperties === "object" ? arm.additionalProperties : null);
    return found ? [found] : [];
  }).flatMap((found) => narrowed(schema, found, typeOf));
}

/** Of the types of a section only the one that its text names. */
function narrowed(schema, node, typeOf) {
  const all = arms(schema, node);
  const named = typeOf ? all.filter((arm) => arm.properties?.type?.const === typeOf || arm.properties?.type?.enum?.includes(typeOf)) : [];
  return named.length ? named : all;
}

function resolved(schema, path, types) {
  let nodes = [schema];
  path.forEach((part, depth) => {
    nodes = nodes.flatMap((node) => below(schema, node, part, types[depth]));
  });
  return nodes.flatMap((node) => arms(schema, node));
}

/** For each section on the way, the `type` that stands beside the keys below it. */
function typesOn(doc, number, path) {
  const types = path.map(() => null);
  const index = path.findIndex((part) => part === "auth" || part === "pagination");
  if (index < 0) return types;
  for (let at = number; at >= Math.max(1, number - 12); at--) {
    const found = /(?:^|[\s{,])type:\s*["']?([\w-]+)/.exec(doc.line(at).text);
    if (found) types[index] = found[1];
    if (keyOf(doc.line(at).text)?.name === path[index]) break;
  }
  return types;
}

function siblings(doc, number, column) {
  const found = new Set();
  for (const step of [-1, 1]) {
    for (let at = number + step; at >= 1 && at <= doc.lines; at += step) {
      const line = doc.line(at).text;
      if (!line.trim() || line.trim().startsWith("#")) continue;
      const key = keyOf(line);
      const start = key?.column ?? line.search(/\S/);
      if (start < column) break;
      if (key && start === column) { found.add(key.name); if (step < 0 && dashesOf(line).length) break; if (step > 0 && dashesOf(line).length) { found.delete(key.name); break; } }
    }
  }
  return found;
}

function isNested(schema, node) {
  return arms(schema, node).some((arm) => arm.type === "object" || arm.properties) && !arms(schema, node).some((arm) => [].concat(arm.type ?? []).includes("string"));
}

function kindOf(schema, node) {
  const all = arms(schema, node);
  const values = all.flatMap((arm) => arm.enum ?? (arm.const ? [arm.const] : []));
  if (values.length) return values.slice(0, 4).join(" | ");
  if (all.some((arm) => /JQ/.test(arm.description ?? ""))) return "JQ";
  return [...new Set(all.flatMap((arm) => arm.type ?? (arm.properties ? ["section"] : [])))].slice(0, 2).join(", ");
}

function keyOptions(schema, nodes, known, indent) {
  const options = new Map();
  for (const node of nodes) {
    for (const [name, value] of Object.entries(node.properties ?? {})) {
      if (known.has(name) || options.has(name)) continue;
      const nested = isNested(schema, value);
      const isList = arms(schema, value).some((arm) => arm.type === "array") && !nested;
      options.set(name, {
        label: name,
        detail: kindOf(schema, value),
        info: value.description ?? arms(schema, value).find((arm) => arm.description)?.description,
        type: "property",
        boost: node.required?.includes(name) ? 5 : 0,
        apply: nested ? `${name}:\n${" ".repeat(indent + 2)}` : isList ? `${name}:\n${" ".repeat(indent + 2)}- ` : `${name}: `,
      });
    }
  }
  return [...options.values()];
}

function valueOptions(nodes) {
  const values = nodes.flatMap((node) => node.enum ?? (node.const !== undefined ? [node.const] : node.type === "boolean" ? [true, false] : []));
  return [...new Set(values)].map((value) => ({ label: String(value), type: "constant", info: nodes[0]?.description }));
}

function keysIn(path) {
  return [...path.matchAll(/\.(?:([A-Za-z_]\w*)|"([^"]*)")(\[\])?/g)].flatMap((found) => [found[1] ?? found[2], ...(found[3] ? [0] : [])]);
}

function fieldOptions(tree, before) {
  const cut = Math.max(before.lastIndexOf("."), 0);
  let node = tree;
  for (const key of keysIn(before.slice(0, cut))) {
    node = node?.children?.find(([name]) => name === key)?.[1];
  }
  if (node?.type !== "object") return null;
  return {
    cut,
    options: (node.children ?? []).map(([name, child]) => {
      const plain = /^[A-Za-z_]\w*$/.test(name);
      const shown = child.text === undefined ? `${child.type} of ${child.count}` : child.text;
      return { label: plain ? `.${name}` : `.${JSON.stringify(name)}`, detail: shown.length > 40 ? `${shown.slice(0, 39)}…` : shown, type: "property" };
    }),
  };
}

/** A source of completions. `state()` gives the schema, the tree of the record in view, and the variables. */
export function completer(state) {
  return (context) => {
    const { schema, record, variables } = state();
    const { doc } = context.state;
    const line = doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const reference = /\$\{([A-Za-z_]\w*)?$/.exec(before);
    if (reference) {
      return { from: context.pos - (reference[1]?.length ?? 0), options: variables.map((each) => ({ label: each.name, apply: `${each.name}}`, detail: each.is_set ? "set" : "not set" })) };
    }
    const typed = /^(\s*(?:- +)*)([A-Za-z_]\w*)?$/.exec(before);
    if (typed && schema) {
      if (!typed[2] && !context.explicit && !/- $|^\s+$/.test(before)) return null;
      const column = typed[1].length;
      const path = pathAt(doc, line.number, column);
      const nodes = resolved(schema, path, typesOn(doc, line.number, path));
      const options = keyOptions(schema, nodes, siblings(doc, line.number, column), column);
      return options.length ? { from: line.from + column, options, validFor: /^\w*$/ } : null;
    }
    const pair = keyOf(line.text);
    if (!pair) return null;
    const path = [...pathAt(doc, line.number, pair.column), pair.name];
    const nodes = schema ? resolved(schema, path, typesOn(doc, line.number, path)) : [];
    const value = before.slice(before.indexOf(":", pair.column) + 1);
    const plain = /^\s+([\w-]*)$/.exec(value);
    if (plain) {
      const options = valueOptions(nodes);
      if (options.length) return { from: context.pos - plain[1].length, options, validFor: /^[\w-]*$/ };
    }
    const field = FIELD.exec(value);
    if (field && record && (!/\w$/.test(value.slice(0, field.index)))) {
      const found = fieldOptions(record, field[0]);
      if (found?.options.length) return { from: context.pos - field[0].length + found.cut, options: found.options, validFor: /^\.\w*$/ };
    }
    const variable = /\$\w*$/.exec(value);
    if (variable) return { from: context.pos - variable[0].length, options: ["$context", "$params", "$window"].map((label) => ({ label, type: "variable" })) };
    const word = /(?:^|[\s|(,;])([a-z]\w*)$/.exec(value);
    const isJq = nodes.some((node) => /JQ/.test(node.description ?? "")) || path.includes("properties") || path.includes("relations");
    if (word && isJq && (context.explicit || word[1].length > 1)) {
      return { from: context.pos - word[1].length, options: FUNCTIONS.map((label) => ({ label, type: "function" })), validFor: /^\w*$/ };
    }
    return null;
  };
}
