// Map: a record beside the entity that it becomes. A click on a value of the record gives it its place.
import { fill, h, select } from "../dom.js";
import { closeMenu, openMenu } from "../menu.js";
import { askButton, nothing, problemList, requestLines, resourceChoice, stateTag } from "../parts.js";
import { EntityProposal } from "../proposals.js";
import { Tree, pathText } from "../tree.js";

export class MapStep {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.mapping = 0;
    this.element = h("section.step", {});
    this.proposal = new EntityProposal(studio, page);
  }

  show() {
    const { studio } = this;
    const records = studio.view?.records ?? [];
    if (!studio.resources?.length) {
      fill(this.element, nothing("No resource yet", "A resource is one endpoint of the API. Choose it first.", h("button.primary", { type: "button", onclick: () => this.page.go("endpoint") }, "Choose an endpoint")));
      return;
    }
    this.mapping = Math.min(this.mapping, (studio.resource?.mappings ?? 1) - 1);
    fill(this.element,
      h("div.head", {}, resourceChoice(studio), h("span.grow"), this.#steps(records)),
      studio.askTrouble ? problemList(studio.askTrouble.problems) : null,
      records.length && this.studio.resource?.properties === 0 ? this.proposal.show() : null,
      records.length ? this.#both(records[studio.record]) : this.#none());
  }

  #steps(records) {
    const { studio } = this;
    if (!records.length) return askButton(studio);
    const to = (record) => { studio.record = record; this.page.show(); };
    return h("div.pager", {},
      h("button", { type: "button", "aria-label": "Record before", disabled: studio.record === 0, onclick: () => to(studio.record - 1) }, "‹"),
      h("span", {}, `record ${studio.record + 1} of ${records.length}`),
      h("button", { type: "button", "aria-label": "Next record", disabled: studio.record + 1 >= records.length, onclick: () => to(studio.record + 1) }, "›"));
  }

  #none() {
    const { view } = this.studio;
    if (view?.end?.problem) return h("div.panel", {}, h("h3", {}, `No records: ${view.end.verdict}${view.end.reason ? ` (${view.end.reason})` : ""}`), problemList([view.end.problem]), h("p.actions", {}, h("button", { type: "button", onclick: () => this.page.go("records") }, "Look at the answer")));
    if (view?.is_unasked) return h("div.panel", {}, h("h3", {}, "The request, not sent yet"), view.requests.map((each) => requestLines(each)), h("p.actions", {}, askButton(this.studio)));
    if (view?.pages.length) return nothing("An empty list", "The source answered, and there are no records in it.", h("button", { type: "button", onclick: () => this.page.go("records") }, "Look at the answer"));
    return nothing("Nothing to see yet", "The problems below the editor come first.");
  }

  #both(record) {
    const tree = new Tree(record.name, record.tree, {
      label: "Record", opened: this.studio.opened.record, verb: "Map",
      chosen: (keys, node, row) => this.#chosen(keys, node, row),
    });
    return h("div.both", {},
      h("div.panel", {}, h("h3", {}, "Record"), h("p.dim.small-text", {}, "Click a value to map it."), tree.root),
      h("div", {}, this.#outcomes(record)));
  }

  #outcomes(record) {
    if (record.is_filtered) return h("div.panel", {}, h("h3", {}, "No entity"), h("p", {}, h("code", {}, "selector.query"), " is not true for this record, so it is left out."));
    return [
      record.entities.map((entity) => this.#entity(entity)),
      record.failures.length ? h("div.panel", {}, h("h3", {}, "No entity"), problemList(record.failures)) : null,
      record.field_errors.length ? h("div.panel", {}, h("h3", {}, "Left out"), problemList(record.field_errors.map((each) => ({ code: each.field, message: each.message, severity: "warning" })))) : null,
    ];
  }

  #entity({ blueprint, identifier, body }) {
    const pairs = (values) => Object.entries(values ?? {}).map(([name, value]) => [h("dt", {}, name), h("dd", {}, this.#value(value))]);
    return h("div.panel.entity", {},
      h("h3", {}, "Entity ", stateTag("plain", blueprint)),
      h("dl.pairs", {}, h("dt", {}, "identifier"), h("dd", {}, h("b", {}, identifier)), pairs({ ...(body.title === undefined ? {} : { title: body.title }), ...(body.icon ? { icon: body.icon } : {}), ...(body.team ? { team: body.team } : {}) })),
      Object.keys(body.properties ?? {}).length ? [h("h4", {}, "Properties"), h("dl.pairs", {}, pairs(body.properties))] : null,
      Object.keys(body.relations ?? {}).length ? [h("h4", {}, "Relations"), h("dl.pairs", {}, pairs(body.relations))] : null);
  }

  #value(value) {
    if (value === null || value === undefined) return h("span.dim", {}, "null");
    if (typeof value === "object") return h("code.json", {}, JSON.stringify(value));
    return h(`span.of-${typeof value}`, {}, String(value));
  }

  #chosen(keys, node, row) {
    const path = pathText(keys);
    const place = (more) => () => this.page.orSay(this.page.write("/api/place", { index: this.studio.index, mapping: this.mapping, keys, ...more }));
    const isScalar = node.count === undefined;
    const isInList = keys.some((key) => typeof key === "number");
    openMenu(row, [
      keys.length ? { label: "Property", detail: path, run: place({ role: "property" }) } : null,
      isInList ? { label: "Property: of every element", detail: "a list", run: place({ role: "property", each: true }) } : null,
      isScalar ? { label: "Identifier", detail: path, run: place({ role: "identifier" }) } : null,
      isScalar ? { label: "Title", detail: path, run: place({ role: "title" }) } : null,
      isScalar || node.type === "array" ? { label: "Relation", detail: path, run: place({ role: "relation" }) } : null,
      isInList ? { label: "Relation: to every element", detail: "a list", run: place({ role: "relation", each: true }) } : null,
      node.type === "array" && keys.length ? { label: "One entity for each element", detail: `itemsToParse: ${path}`, run: place({ role: "items" }) } : null,
      { label: "Insert the path at the cursor", detail: path, run: () => this.page.editor.insert(path) },
      (this.studio.resource?.mappings ?? 1) > 1 ? { form: this.#mappingChoice() } : null,
    ]);
  }

  #mappingChoice() {
    const options = Array.from({ length: this.studio.resource.mappings }, (_, number) => [String(number), `into mapping ${number + 1}`]);
    const element = select(options, String(this.mapping), (value) => { this.mapping = Number(value); closeMenu(); this.page.show(); });
    element.setAttribute("aria-label", "Which of the mappings");
    return h("div.choice", {}, element);
  }
}
