// Records: the request, what the source answered, and where its records are.
import { fill, h, plural } from "../dom.js";
import { openMenu } from "../menu.js";
import { Discovery, Places } from "../proposals.js";
import { answerStatus, askButton, nothing, problemList, requestLines, resourceChoice } from "../parts.js";
import { Tree, pathText } from "../tree.js";

export class RecordsStep {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.element = h("section.step", {});
    this.places = new Places(studio, page);
    this.discovery = new Discovery(studio, page);
  }

  /** Whether nobody said yet where in the answer the records are. */
  #isLost(view) {
    if (!view?.answers.length || view.answers[0].status >= 300) return false;
    const isWhole = (this.studio.resource?.data_path ?? ".").trim() === "." && view.answers[0].tree?.type === "object";
    this.places.load();
    return isWhole || view.end?.reason === "data_path";
  }

  show() {
    const { studio } = this;
    if (!studio.resources?.length) {
      fill(this.element, nothing("No resource yet", "A resource is one endpoint of the API. Choose it first.", h("button.primary", { type: "button", onclick: () => this.page.go("endpoint") }, "Choose an endpoint")));
      return;
    }
    const view = studio.view;
    const answers = view?.answers ?? [];
    fill(this.element,
      h("div.head", {}, resourceChoice(studio), h("span.grow"), studio.isAsking ? null : h("button", { type: "button", disabled: studio.isStale || studio.problems.some((each) => each.code === "unset-variable"), onclick: () => this.discovery.find() }, "Find out how it is read"), askButton(studio, answers.length ? "Ask again" : "Ask the source")),
      studio.askTrouble ? problemList(studio.askTrouble.problems) : null,
      view?.is_unasked ? h("div.panel", {}, h("h3", {}, answers.length ? "The next request, not sent yet" : "The request, not sent yet"), view.requests.map((each) => requestLines(each)),
        h("p.dim", {}, "Nothing leaves this machine until you ask. Answers are kept in memory, and every keystroke is tried on them.")) : null,
      this.discovery.show(),
      this.#isLost(view) ? this.places.places : answers.length ? this.places.paging : null,
      this.#where(view),
      answers.map((answer, number) => this.#answer(answer, number)),
      view?.end?.problem ? h("div.panel", {}, h("h3", {}, `Reading ended: ${view.end.verdict}${view.end.reason ? ` (${view.end.reason})` : ""}`), problemList([view.end.problem])) : null,
    );
  }

  #answer(answer, number) {
    const body = answer.tree
      ? new Tree(answer.name, answer.tree, { label: `Answer ${number + 1}`, opened: this.studio.opened.answer, verb: "Use", chosen: (keys, node, row) => this.#chosen(keys, node, row) }).root
      : h("pre", {}, answer.text || "(no content)");
    return h("details.panel.answer", { open: number === 0 || undefined },
      h("summary", {}, h("h3", {}, `Answer ${number + 1}`)),
      requestLines(answer.request, answerStatus(answer)), body);
  }

  #chosen(keys, node, row) {
    const path = pathText(keys);
    openMenu(row, [
      node.type === "array" || node.type === "object"
        ? { label: "The records are here", detail: `data_path: ${path}`, run: () => this.#place(keys) }
        : { label: "Records are in lists and objects", detail: "map single values in step 4", run: () => this.page.go("map") },
      { label: "Insert the path at the cursor", detail: path, run: () => this.page.editor.insert(path) },
    ]);
  }

  async #place(keys) {
    await this.page.orSay(this.page.write("/api/place", { index: this.studio.index, role: "data_path", keys }));
  }

  #where(view) {
    const pages = view?.pages ?? [];
    if (!pages.length) return null;
    const count = pages.reduce((sum, page) => sum + page.records, 0);
    const numbers = new Set(pages.map((page) => `${page.chain} ${page.number}`)).size;
    const path = this.studio.resource?.data_path ?? ".";
    return h("p.note", {}, h("b", {}, plural(count, "record")), ` at `, h("code", {}, path), ` in ${plural(numbers, "page")}. `,
      h("button.link", { type: "button", onclick: () => this.page.go("map") }, "Map them"));
  }
}
