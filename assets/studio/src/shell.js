// The theme, and the one question that the page asks in a dialog.
import { field, h } from "./dom.js";

export function startTheme(button) {
  const root = document.documentElement;
  const kept = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  button.addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it holds for this view, then */ }
  });
}

/** The name of a new file, or null where somebody thinks better of it. */
export function askPath(folder) {
  return new Promise((done) => {
    const input = h("input", { type: "text", value: "mapping.yaml", spellcheck: "false", autocomplete: "off" });
    const dialog = h("dialog", { onclose: () => { dialog.remove(); done(dialog.returnValue === "save" ? input.value.trim() || null : null); } },
      h("h2", {}, "Save the mapping as"),
      field("File", input, `below ${folder}`),
      h("p.actions", {},
        h("button", { type: "button", onclick: () => dialog.close("") }, "Cancel"),
        h("button.primary", { type: "button", onclick: () => dialog.close("save") }, "Save")));
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") dialog.close("save"); });
    document.body.append(dialog);
    dialog.showModal();
    input.select();
  });
}
