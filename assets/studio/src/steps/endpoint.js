// Endpoint: which part of the API is read.
import { Refused, post } from "../api.js";
import { field, fill, h, select } from "../dom.js";
import { askButton, problemList, requestLines } from "../parts.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"].map((each) => [each, each]);

/** The ways from one page to the next, each with the keys that a newcomer has to know. */
const PAGING = {
  keep: ["As the source says, or one request", []],
  none: ["One request", []],
  page: ["Page numbers", [["page_param", "page"], ["size_param", "size"], ["page_size", "100"]]],
  offset: ["An offset", [["offset_param", "offset"], ["limit_param", "limit"], ["page_size", "100"]]],
  cursor: ["A cursor", [["cursor_path", ".next_cursor"], ["cursor_param", "cursor"]]],
  next_link: ["A link in the answer", [["next_link_path", ".next"]]],
  header_link: ["A Link header", []],
};

export class EndpointStep {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.target = null;
    this.kind = h("input", { type: "text", placeholder: "/v1/repositories", spellcheck: "false", autocomplete: "off" });
    this.method = select(METHODS, "GET");
    this.parameters = h("div.fields");
    this.paging = select(Object.entries(PAGING).map(([value, [label]]) => [value, label]), "keep", () => this.#pagingParts());
    this.pagingParts = h("div.two");
    this.trouble = h("div");
    this.list = h("div");
    this.request = h("div");
    this.title = h("h3");
    this.submit = h("button.primary", { type: "submit" });
    this.form = h("form.panel", { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#write(); } }, this.title,
      h("div.fields", {},
        h("div.endpoint", {}, field("Method", this.method), field("Path", this.kind, "Below the base URL. {name} in it is a path parameter.")),
        h("div.field", {}, h("span.legend", {}, "Query parameters"), this.parameters,
          h("p", {}, h("button.small", { type: "button", onclick: () => this.#parameter("", "").querySelector("input").focus() }, "Add a parameter"))),
        field("How its pages follow each other", this.paging), this.pagingParts,
        this.trouble, h("p.actions", {}, this.submit)));
    this.element = h("section.step", {}, h("div.head", {}, h("h2", {}, "Choose an endpoint")),
      h("p.lead", {}, "Each endpoint becomes a resource of the mapping: one kind of thing that is brought to Port."), this.list, this.form, this.request);
    this.#edit(null);
  }

  #parameter(name, value) {
    const row = h("div.pair", {},
      h("input", { type: "text", value: name, "aria-label": "Name of the parameter", placeholder: "name", spellcheck: "false" }),
      h("input", { type: "text", value, "aria-label": "Value of the parameter", placeholder: 'value, or {{ JQ }}', spellcheck: "false" }),
      h("button.small", { type: "button", "aria-label": "Remove the parameter", onclick: () => row.remove() }, "×"));
    this.parameters.append(row);
    return row;
  }

  #pagingParts(given = {}) {
    const [, keys] = PAGING[this.paging.value] ?? PAGING.keep;
    fill(this.pagingParts, keys.map(([name, usual]) => {
      const input = h("input", { type: "text", value: String(given[name] ?? usual), spellcheck: "false", autocomplete: "off" });
      input.dataset.name = name;
      return field(name, input);
    }));
    this.pagingParts.hidden = !keys.length;
    this.pagingGiven = given;
  }

  /** As the mapping has it; null where it stays as it is. */
  #pagination() {
    if (this.paging.value === "keep") return null;
    const parts = [...this.pagingParts.querySelectorAll("input")].map((input) => [input.dataset.name, input.value.trim()]);
    const said = Object.fromEntries(parts.filter(([, value]) => value).map(([name, value]) => [name, /^\d+$/.test(value) ? Number(value) : value]));
    // What the form does not ask for stays what it was.
    const rest = this.pagingGiven.type === this.paging.value ? this.pagingGiven : {};
    return { ...rest, type: this.paging.value, ...said };
  }

  /** Let the form be about a resource, or about a new one where `index` is null. */
  async #edit(index) {
    this.target = index;
    const resource = index === null ? null : await post("/api/endpoint-of", { text: this.studio.text, index });
    if (this.target !== index) return;
    this.kind.value = resource?.kind ?? "";
    this.method.value = resource?.method ?? "GET";
    this.paging.value = PAGING[resource?.pagination?.type] ? resource.pagination.type : "keep";
    this.#pagingParts(resource?.pagination ?? {});
    fill(this.parameters);
    for (const [name, value] of resource?.query_params ?? []) this.#parameter(name, value);
    this.title.textContent = resource ? `Resource ${index + 1}` : "A new resource";
    this.submit.textContent = resource ? "Change it" : "Use this endpoint";
  }

  async #write() {
    const { studio } = this;
    const pairs = [...this.parameters.children].map((row) => [...row.querySelectorAll("input")].map((input) => input.value.trim()));
    fill(this.trouble);
    try {
      const { index } = await this.page.write("/api/endpoint", {
        index: this.target, kind: this.kind.value.trim(), method: this.method.value,
        query_params: Object.fromEntries(pairs.filter(([name]) => name)), pagination: this.#pagination(),
      });
      studio.index = index;
      studio.record = 0;
      await studio.look();
      this.target = index;
      this.page.go("records");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(this.trouble, problemList(error.problems));
    }
  }

  show() {
    const { studio } = this;
    const resources = studio.resources ?? [];
    if (this.target !== null && this.target >= resources.length) this.#edit(null);
    fill(this.list, resources.length ? h("div.panel", {}, h("h3", {}, "Resources of this mapping"), h("ul.resources", {},
      resources.map((each, number) => h("li", {},
        h("button.pick", { type: "button", "aria-pressed": String(number === studio.index), onclick: () => { studio.show(number); this.#edit(number); this.page.editor.goTo(each.line, 1); this.page.show(); } },
          h("b.method", {}, each.method), h("code", {}, each.kind))))),
      h("p.actions", {}, h("button", { type: "button", onclick: () => { this.#edit(null); this.kind.focus(); } }, "Add another"))) : null);
    fill(this.request, studio.view?.is_unasked && studio.view.requests.length ? h("div.panel", {}, h("h3", {}, "What will be asked"), studio.view.requests.map((each) => requestLines(each)), h("p.actions", {}, askButton(studio))) : null);
  }
}
