// Proposals: each with its reason, and nothing is taken over without a click.
import { post } from "./api.js";
import { fill, h } from "./dom.js";
import { problemList, stateTag } from "./parts.js";

/** Where in an answer the records may be, and whether pages follow it. */
export class Places {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.of = null;
    this.places = h("div.panel", { role: "status" });
    this.paging = h("div.panel", { role: "status", hidden: true });
  }

  async load() {
    const { studio } = this;
    const of = JSON.stringify([studio.text, studio.index, studio.view?.answers[0]?.bytes]);
    if (of === this.of) return;
    this.of = of;
    this.paging.hidden = true;
    const found = await this.page.orSay(post("/api/proposals", studio.asked));
    if (!found || of !== this.of) return;
    const write = (path, request) => this.page.orSay(this.page.write(path, { index: studio.index, ...request }));
    fill(this.places, h("h3", {}, "Where are the records?"),
      found.places.length
        ? h("ul.places", {}, found.places.map((place, number) => h("li", {}, h("code", {}, place.data_path), h("span.dim", {}, place.reason),
          h("button", { type: "button", class: number ? "" : "primary", onclick: () => write("/api/place", { role: "data_path", keys: place.keys }) }, "Use it"))))
        : h("p.dim", {}, "No list is in this answer; the answer itself is the one record."));
    this.paging.hidden = !found.paging;
    if (!found.paging) return;
    const { type, ...keys } = found.paging.config;
    fill(this.paging, h("h3", {}, "Are there more pages?"),
      h("ul.places", {}, h("li", {}, h("code", {}, [type, ...Object.entries(keys).map(([name, value]) => `${name}: ${value}`)].join(", ")), h("span.dim", {}, found.paging.reason),
        h("button.primary", { type: "button", onclick: () => write("/api/proposed", { pagination: found.paging.config }) }, "Read them too"))),
      h("p.dim.small-text", {}, "A guess, until the source is asked again."));
  }
}

/** What discovery finds out by asking the source. */
export class Discovery {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.of = null;
    this.element = h("div.panel", { role: "status", hidden: true });
  }

  show() {
    if (this.of !== this.studio.index) this.element.hidden = true;
    return this.element;
  }

  async find() {
    const { studio } = this;
    studio.isAsking = true;
    this.of = studio.index;
    this.element.hidden = false;
    fill(this.element, h("p.dim", {}, "Asking the source, a few times …"));
    this.page.show();
    const found = await this.page.orSay(post("/api/find-out", studio.asked));
    studio.isAsking = false;
    await studio.look();
    this.element.hidden = !found;
    if (found) this.#propose(found);
  }

  #propose(found) {
    const { studio } = this;
    const take = async () => {
      const { data_path, pagination, query_params, entity } = found;
      const wanted = { index: studio.index, data_path, pagination, query_params, entity };
      if (!await this.page.orSay(this.page.write("/api/proposed", wanted, { isQuiet: true }))) return;
      this.element.hidden = true;
      Object.assign(studio.blueprints, found.blueprint);
    };
    const tones = { sure: "good", likely: "plain", guess: "warn" };
    fill(this.element, h("h3", {}, `Found out with ${found.requests} requests`),
      h("div.reasons.found", {}, found.rows.map(([about, value, confidence, reason]) => [h("span", {}, about), h("code", {}, value), h("span.dim", {}, stateTag(tones[confidence], confidence), " ", reason)])),
      h("p.actions", {}, h("button.primary", { type: "button", onclick: take }, "Write it into the mapping"), h("button", { type: "button", onclick: () => { this.element.hidden = true; } }, "Not this")));
  }
}

/** An entity for the records in view. */
export class EntityProposal {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.found = null;
    this.element = h("div.panel", {});
  }

  show() {
    if (this.found && this.of === this.studio.index) return this.element;
    fill(this.element, h("div.head", {}, h("div", {}, h("h3", {}, "No property is mapped yet"), h("p.dim", {}, "Click values below one by one, or begin with a proposal.")),
      h("span.grow"), h("button.primary", { type: "button", onclick: () => this.#load() }, "Propose a mapping")));
    return this.element;
  }

  async #load() {
    const { studio } = this;
    this.found = await this.page.orSay(post("/api/proposals", studio.asked));
    this.of = studio.index;
    if (!this.found) return;
    const done = () => { this.found = null; this.page.show(); };
    const take = async () => {
      const { entity } = this.found;
      await this.page.orSay(this.page.write("/api/proposed", { index: studio.index, entity }, { isQuiet: true }));
      this.found = null;
    };
    if (!this.found.entity) {
      fill(this.element, problemList([{ severity: "warning", code: "no-objects", message: "these records are no objects, so there are no fields to propose", hint: "say in step 3 where the records are" }]));
      return;
    }
    fill(this.element, h("h3", {}, "A proposal from the records in view"),
      h("div.reasons", {}, this.found.reasons.map(([name, expression, reason]) => [h("span", {}, name), h("code", {}, expression), h("span.dim", {}, reason)])),
      h("p.actions", {}, h("button.primary", { type: "button", onclick: take }, "Write it into the mapping"), h("button", { type: "button", onclick: done }, "Not this")));
  }
}
