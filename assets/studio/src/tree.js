// A JSON value as a tree that is read and walked with the keyboard. What is not open is not fetched.
import { post } from "./api.js";
import { h } from "./dom.js";

const PLAIN = /^[A-Za-z_]\w*$/;

export function pathText(keys) {
  const text = keys.map((key) => (typeof key === "number" ? `[${key}]` : PLAIN.test(key) ? `.${key}` : `.${JSON.stringify(key)}`)).join("");
  return text.startsWith(".") ? text : `.${text}`;
}

export class Tree {
  /** A tree of the value `name` in the studio, of which `node` is the first slice. `chosen(keys, node, row)` is told of
   * clicks on a value; `opened` is a set of paths that survives the tree. */
  constructor(name, node, { label, chosen, opened, verb = "Use" }) {
    this.name = name;
    this.chosen = chosen;
    this.opened = opened;
    this.verb = verb;
    this.root = h("ul.tree", { role: "tree", "aria-label": label, onkeydown: (event) => this.#walk(event) });
    this.root.append(this.#item(null, node, [], true));
    this.root.querySelector("[role=treeitem]")?.setAttribute("tabindex", "0");
  }

  #item(key, node, keys, isRoot = false) {
    const isBranch = node.count !== undefined;
    const path = pathText(keys);
    const isOpen = isBranch && node.count > 0 && (isRoot || this.opened.has(path));
    const name = key === null ? null : h(typeof key === "number" ? "span.index" : "span.key", {}, typeof key === "number" ? `${key}` : key);
    const value = isBranch
      ? h("span.many", {}, node.type === "array" ? `[ ${node.count.toLocaleString("en")} ]` : `{ ${node.count.toLocaleString("en")} }`)
      : h(`span.value.${node.type}`, {}, node.type === "string" ? `"${node.text}"` : node.text);
    const twist = h("span.twist", { "aria-hidden": "true" });
    const use = h("button.use", { type: "button", tabindex: "-1", "aria-label": `${this.verb} ${path}` }, this.verb);
    const row = h("div.row-of-tree", { title: path }, twist, name, name ? h("span.colon", {}, ":") : null, value, use);
    const item = h("li", { role: "treeitem", tabindex: "-1", "aria-label": `${path} ${isBranch ? `${node.type} of ${node.count}` : node.text}`, "data-path": path }, row);
    item.keys = keys;
    item.node = node;
    if (isBranch && node.count > 0) {
      item.setAttribute("aria-expanded", String(isOpen));
      const group = h("ul", { role: "group" });
      item.append(group);
      if (isOpen) this.#open(item, node);
      twist.addEventListener("click", (event) => { event.stopPropagation(); this.#toggle(item); });
    }
    use.addEventListener("click", (event) => { event.stopPropagation(); this.#focus(item); this.chosen(keys, node, row); });
    row.addEventListener("click", () => {
      this.#focus(item);
      if (isBranch) this.#toggle(item);
      else this.chosen(keys, node, row);
    });
    return item;
  }

  async #open(item, node) {
    const group = item.querySelector(":scope > ul");
    this.opened.add(item.dataset.path);
    item.setAttribute("aria-expanded", "true");
    if (group.childElementCount) return;
    if (!node.children) {
      group.append(h("li.dim", { role: "none" }, "…"));
      node = await this.#slice(item.keys, 0);
      group.replaceChildren();
      if (!node) return;
    }
    this.#append(group, item, node);
  }

  #append(group, item, node) {
    for (const [key, child] of node.children ?? []) group.append(this.#item(key, child, [...item.keys, key]));
    const shown = (node.first ?? 0) + (node.children?.length ?? 0);
    if (shown < node.count) {
      const more = h("button.small.more", { type: "button" }, `${(node.count - shown).toLocaleString("en")} more`);
      const line = h("li", { role: "none" }, more);
      more.addEventListener("click", async () => {
        const next = await this.#slice(item.keys, shown);
        line.remove();
        if (next) this.#append(group, item, next);
      });
      group.append(line);
    }
  }

  async #slice(keys, first) {
    try {
      return (await post("/api/slice", { name: this.name, keys, first })).node;
    } catch {
      return null;
    }
  }

  #toggle(item) {
    if (item.getAttribute("aria-expanded") === "true") {
      item.setAttribute("aria-expanded", "false");
      this.opened.delete(item.dataset.path);
    } else if (item.hasAttribute("aria-expanded")) {
      this.#open(item, item.node);
    }
  }

  #focus(item) {
    for (const other of this.root.querySelectorAll('[tabindex="0"][role=treeitem]')) other.setAttribute("tabindex", "-1");
    item.setAttribute("tabindex", "0");
    item.focus({ preventScroll: true });
    item.firstElementChild.scrollIntoView({ block: "nearest" });
  }

  #walk(event) {
    const item = event.target.closest("[role=treeitem]");
    if (!item || event.target !== item || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...this.root.querySelectorAll("[role=treeitem]")].filter((each) => !each.parentElement.closest('[aria-expanded="false"]'));
    const at = all.indexOf(item);
    const isOpen = item.getAttribute("aria-expanded");
    const steps = {
      ArrowDown: () => all[at + 1] && this.#focus(all[at + 1]),
      ArrowUp: () => all[at - 1] && this.#focus(all[at - 1]),
      ArrowRight: () => (isOpen === "false" ? this.#toggle(item) : isOpen === "true" && all[at + 1] && this.#focus(all[at + 1])),
      ArrowLeft: () => {
        if (isOpen === "true") this.#toggle(item);
        else { const above = item.parentElement.closest("[role=treeitem]"); if (above) this.#focus(above); }
      },
      Home: () => this.#focus(all[0]),
      End: () => this.#focus(all.at(-1)),
      Enter: () => this.chosen(item.keys, item.node, item.firstElementChild),
      " ": () => this.chosen(item.keys, item.node, item.firstElementChild),
    };
    if (steps[event.key]) { event.preventDefault(); steps[event.key](); }
  }
}
