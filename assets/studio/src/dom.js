// Elements from values. Texts become text nodes, never HTML: what a source answers stays what it is.

/** An element: `h("p.hint", {id: "x", onclick: f}, "text", other)`. */
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked" || key === "disabled" || key === "hidden") element[key] = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put `children` in place of what `element` holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Let what took the place of `element` in `root` have the focus: it is of the same kind, and says the same. */
export function focusAgain(element, root) {
  const said = (each) => each.dataset.path ?? each.getAttribute("aria-label") ?? each.textContent;
  const now = element.isConnected ? element : [...root.querySelectorAll(element.tagName)].find((each) => said(each) === said(element));
  now?.focus({ preventScroll: true });
}

let count = 0;

/** A field with its label above it, and a hint below where there is one. */
export function field(label, input, hint) {
  input.id ||= `field-${++count}`;
  const said = hint ? h("small.dim", { id: `${input.id}-hint` }, hint) : null;
  if (said) input.setAttribute("aria-describedby", said.id);
  return h("div.field", {}, h("label", { for: input.id }, label), input, said);
}

export function select(options, chosen, onchange) {
  const element = h("select", { onchange: (event) => onchange?.(event.target.value) });
  for (const [value, label] of options) element.append(h("option", { value }, label));
  element.value = chosen;
  return element;
}

/** Text for the clipboard, behind a button. */
export function copier(text, label = "Copy") {
  const button = h("button.small", { type: "button" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it by hand";
    }
    setTimeout(() => { button.textContent = label; }, 1600);
  });
  return button;
}

export function plural(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  return count < 1e6 ? `${(count / 1000).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
