// Everything can be read and used without this file. It remembers the theme, sends forms when a choice is made,
// and puts the cursor into the search field at "/".
"use strict";
(() => {
  const root = document.documentElement;
  const kept = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (kept === "dark" || kept === "light") root.dataset.theme = kept;

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector(".theme");
    button.hidden = false;
    button.addEventListener("click", () => {
      const isDark = root.dataset.theme
        ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it holds for this view, then */ }
    });

    for (const field of document.querySelectorAll("[data-submit]"))
      field.addEventListener("change", () => field.form.requestSubmit());

    document.addEventListener("keydown", (event) => {
      const isTyping = event.target.closest("input, select, textarea");
      if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
        const field = document.querySelector('[data-key="/"]');
        if (field) { event.preventDefault(); field.focus(); field.select(); }
      }
      if (event.key === "Escape")
        for (const drop of document.querySelectorAll("details.drop[open]")) drop.open = false;
    });

    document.addEventListener("click", (event) => {
      for (const drop of document.querySelectorAll("details.drop[open]"))
        if (!drop.contains(event.target)) drop.open = false;
    });
  });
})();
