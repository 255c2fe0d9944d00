// Try: the whole run into a local Port that lives as long as the studio.
import { Refused, post } from "../api.js";
import { fill, h, plural } from "../dom.js";
import { nothing, problemList, stateTag } from "../parts.js";

const EVERY_MS = 250;
const COUNTS = [["records", "read"], ["created", "created"], ["updated", "updated"], ["unchanged", "unchanged"], ["rejected", "rejected"], ["failures", "failed"]];

export class TrialStep {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.state = null;
    this.trouble = [];
    this.element = h("section.step", {});
  }

  show() {
    const { studio, state } = this;
    const lacking = (studio.names ?? []).filter((name) => studio.blueprints[name] === undefined);
    const isReady = studio.resources?.length && !studio.isStale;
    fill(this.element,
      h("div.head", {}, h("h2", {}, "Try it in a local Port"), h("span.grow"),
        state?.is_running ? h("button", { type: "button", onclick: () => this.#end() }, "Stop") : h("button.primary", { type: "button", disabled: !isReady, onclick: () => this.#begin() }, state?.report ? "Sync again" : "Sync into the local Port")),
      h("p.lead", {}, "A catalog on this machine that answers like Port and is gone with the studio. The source is read to its end; nothing is sent to Port."),
      lacking.length ? h("div.panel", {}, h("p", {}, stateTag("warn", "no blueprint"), " ", lacking.map((name) => h("code", {}, `${name} `)), " The local Port refuses entities of a blueprint that it does not have."), h("p.actions", {}, h("button", { type: "button", onclick: () => this.page.go("blueprint") }, "Propose blueprints"))) : null,
      this.trouble.length ? problemList(this.trouble) : null,
      state?.problems.length ? h("div.panel", {}, h("h3", {}, "It could not begin"), problemList(state.problems)) : null,
      state?.is_running ? this.#running(state) : null,
      state?.report ? this.#report(state) : null,
      !state && !lacking.length ? nothing("Nothing was tried yet", "The report of the run comes here, with a link to the catalog.") : null);
  }

  #running(state) {
    return h("div.panel", { role: "status" }, h("h3", {}, "Under way"), state.resources.length ? state.resources.map((each) => h("p", {}, h("code", {}, each.kind), ` ${plural(each.records, "record")}, ${each.created + each.updated + each.unchanged} written`)) : h("p.dim", {}, "Asking the source …"));
  }

  #report({ report, pages, url }) {
    const tone = { ok: "good", partial: "warn" }[report.status] ?? "bad";
    return [
      h("div.panel", {},
        h("h3", {}, "The run ", stateTag(tone, report.status)),
        h("div.tiles", {}, COUNTS.map(([name, label]) => h("div.tile", { class: report.totals[name] && (name === "rejected" || name === "failures") ? "tile alarm" : "tile" }, h("b", {}, (report.totals[name] ?? 0).toLocaleString("en")), h("span", {}, label)))),
        h("ul.verdicts", {}, report.resources.map((each) => h("li", {}, stateTag(each.verdict === "complete" ? "good" : "bad", each.reason ? `${each.verdict} (${each.reason})` : each.verdict), h("code", {}, each.kind), h("span.dim", {}, plural(each.pages, "page"))))),
        h("p.actions", {}, pages.map((each) => h("a.button", { href: each.url, target: "_blank", rel: "noopener noreferrer" }, `See ${each.blueprint} in the local Port`)), h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, "The whole catalog"))),
      report.problems.length ? h("div.panel", {}, h("h3", {}, plural(report.problems.length, "problem")), problemList(report.problems)) : null,
    ];
  }

  async #begin() {
    this.trouble = [];
    await this.#ask("/api/try", this.studio.asked);
    while (this.state?.is_running) {
      await new Promise((done) => setTimeout(done, EVERY_MS));
      await this.#ask("/api/try-state");
    }
  }

  async #end() { await this.#ask("/api/try-end"); }

  async #ask(path, asked = {}) {
    try {
      this.state = await post(path, asked);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.trouble = error.problems;
      this.state = null;
    }
    if (this.page.current === "trial") this.page.show();
  }
}
