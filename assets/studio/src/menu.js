// A menu beside the element that it is about; Escape and a click elsewhere close it.
import { focusAgain, h } from "./dom.js";

let open = null;

export function closeMenu() {
  open?.remove();
  open = null;
}

/** `items` are `{label, detail, run}`, or `{form}` for an element in place of an entry. */
export function openMenu(beside, items) {
  closeMenu();
  const back = document.activeElement;
  const menu = h("div.menu", { role: "menu" }, items.filter(Boolean).map((item) => item.form ?? h("button", {
    type: "button", role: "menuitem", tabindex: "-1",
    onclick: async () => { closeMenu(); await item.run(); },
  }, h("b", {}, item.label), item.detail ? h("code", {}, item.detail) : null)));
  document.body.append(menu);
  const box = beside.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left + 24, innerWidth - menu.offsetWidth - 8));
  const isBelow = box.bottom + menu.offsetHeight + 8 < innerHeight || box.top < menu.offsetHeight;
  menu.style.left = `${left + scrollX}px`;
  menu.style.top = `${(isBelow ? box.bottom + 4 : box.top - menu.offsetHeight - 4) + scrollY}px`;
  menu.addEventListener("keydown", (event) => {
    const entries = [...menu.querySelectorAll("[role=menuitem], input, select")];
    const at = entries.indexOf(document.activeElement);
    if (event.key === "Escape") { event.preventDefault(); closeMenu(); focusAgain(back, document.body); }
    if (event.key === "ArrowDown") { event.preventDefault(); entries[(at + 1) % entries.length].focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); entries[(at - 1 + entries.length) % entries.length].focus(); }
  });
  open = menu;
  menu.querySelector("[role=menuitem]")?.focus({ preventScroll: true });
  return menu;
}

document.addEventListener("pointerdown", (event) => { if (open && !open.contains(event.target)) closeMenu(); });
addEventListener("resize", closeMenu);
