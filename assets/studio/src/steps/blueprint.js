// Blueprint: what the entities are in Port. Proposed from what the mapping gives, and edited as the JSON that it is.
import { Refused, post } from "../api.js";
import { fill, h } from "../dom.js";
import { jsonEditor } from "../editor.js";
import { nothing, problemList, stateTag } from "../parts.js";

export class BlueprintStep {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.name = null;
    this.editor = null;
    this.choice = h("div.choices", { role: "group", "aria-label": "Blueprint" });
    this.place = h("div.json-editor");
    this.trouble = h("div");
    this.table = h("div");
    this.element = h("section.step", {});
  }

  show() {
    const { studio } = this;
    const names = [...new Set([...(studio.names ?? []), ...Object.keys(studio.blueprints)])];
    const head = h("div.head", {}, h("h2", {}, "Blueprints"), h("span.grow"),
      names.length ? h("button", { type: "button", class: Object.keys(studio.blueprints).length ? "" : "primary", onclick: () => this.#draft() }, Object.keys(studio.blueprints).length ? "Add what is missing" : "Propose blueprints") : null);
    if (!names.length) {
      fill(this.element, head, nothing("No blueprint yet", "The mapping names its blueprints; choose an endpoint first.", h("button.primary", { type: "button", onclick: () => this.page.go("endpoint") }, "Choose an endpoint")));
      return;
    }
    if (!names.includes(this.name)) this.name = names[0];
    fill(this.choice, names.map((name) => h("button", { type: "button", "aria-pressed": String(name === this.name), onclick: () => { this.name = name; this.page.show(); } },
      name, studio.blueprints[name] === undefined ? stateTag("warn", "none yet") : studio.blueprintProblems[name] ? stateTag("bad", "problem") : stateTag("good", "there"))));
    const text = studio.blueprints[this.name];
    const fits = studio.problems.filter((each) => each.code === "blueprint-fit");
    fill(this.trouble,
      studio.blueprintProblems[this.name] ? problemList([studio.blueprintProblems[this.name]]) : null,
      fits.length ? [h("h3", {}, "Where the mapping does not fit"), problemList(fits, (line, column) => this.page.editor.goTo(line, column))] : text !== undefined && !Object.keys(studio.blueprintProblems).length && !studio.isStale ? h("p.note", {}, stateTag("good", "the mapping fits")) : null);
    if (text === undefined) {
      fill(this.element, head, this.choice, nothing(`No blueprint ${this.name}`, "It is proposed from the properties that the mapping gives, with the types of the values in view.", h("button.primary", { type: "button", onclick: () => this.#draft() }, "Propose it")), this.trouble);
      return;
    }
    this.#edit(text);
    this.#properties(text);
    const parts = [head, this.choice, this.trouble, this.table, this.place];
    if (parts.some((part, number) => this.element.children[number] !== part) && this.element.children[4] !== this.place) fill(this.element, parts);
    else this.element.replaceChild(head, this.element.firstElementChild);
  }

  #edit(text) {
    if (this.editor && this.shown === this.name) {
      if (this.editor.state.doc.toString() !== text) this.editor.dispatch({ changes: { from: 0, to: this.editor.state.doc.length, insert: text } });
      return;
    }
    this.editor?.destroy();
    this.shown = this.name;
    const { name } = this;
    this.editor = jsonEditor(this.place, text, `Blueprint ${name}, JSON. Escape, then Tab leaves the editor`, (now) => {
      if (this.studio.blueprints[name] !== now) {
        this.studio.blueprints[name] = now;
        this.studio.changed(this.studio.text);
      }
    });
  }

  #properties(text) {
    let value = null;
    try { value = JSON.parse(text); } catch { /* the problem is shown above */ }
    const properties = Object.entries(value?.schema?.properties ?? {});
    const relations = Object.entries(value?.relations ?? {});
    if (!value || typeof value !== "object") { fill(this.table); return; }
    fill(this.table, h("div.panel", {}, h("h3", {}, String(value.title ?? this.name)),
      properties.length ? h("dl.pairs", {}, properties.map(([name, each]) => [h("dt", {}, name), h("dd", {}, [each?.type, each?.format].filter(Boolean).join(", "))])) : h("p.dim", {}, "No properties."),
      relations.length ? [h("h4", {}, "Relations"), h("dl.pairs", {}, relations.map(([name, each]) => [h("dt", {}, name), h("dd", {}, `${each?.many ? "many " : ""}${each?.target}`)]))] : null));
  }

  async #draft() {
    const { studio } = this;
    try {
      let of, blueprints;
      do {
        of = JSON.stringify(studio.blueprints);
        ({ blueprints } = await post("/api/drafts", studio.asked));
        // What is typed meanwhile stays, and is drafted from.
      } while (of !== JSON.stringify(studio.blueprints));
      if (!Object.keys(blueprints).length) {
        this.page.say([{ code: "no-entities", severity: "warning", message: "there is no entity in view to propose a blueprint from", hint: "ask the source for records first, and map them" }]);
        return;
      }
      Object.assign(studio.blueprints, blueprints);
      await studio.look();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!error.isSuperseded) this.page.say(error.problems);
    }
  }
}
