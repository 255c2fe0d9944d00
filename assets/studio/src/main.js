// The page: the editor on the left, the steps on the right.
import { Refused, post } from "./api.js";
import { completer } from "./complete.js";
import { fill, focusAgain, h, plural } from "./dom.js";
import { MappingEditor } from "./editor.js";
import { problemList } from "./parts.js";
import { askPath, startTheme } from "./shell.js";
import { Studio } from "./studio.js";
import { BlueprintStep } from "./steps/blueprint.js";
import { ConnectStep } from "./steps/connect.js";
import { EndpointStep } from "./steps/endpoint.js";
import { MapStep } from "./steps/map.js";
import { RecordsStep } from "./steps/records.js";
import { TakeStep } from "./steps/take.js";
import { TrialStep } from "./steps/trial.js";

/** Each with its name, its title, and whether it is done. */
const STEPS = [
  ["connect", "Connect", ConnectStep, (studio) => /^\s*base_url:/m.test(studio.text) && !studio.problems.some((each) => each.code === "unset-variable")],
  ["endpoint", "Endpoint", EndpointStep, (studio) => Boolean(studio.resources?.length)],
  ["records", "Records", RecordsStep, (studio) => Boolean(studio.view?.records.length)],
  ["map", "Map", MapStep, (studio) => Boolean(studio.view?.records.some((each) => Object.keys(each.entities[0]?.body.properties ?? {}).length))],
  ["blueprint", "Blueprint", BlueprintStep, (studio) => Boolean(studio.names?.length) && studio.names.every((name) => studio.blueprints[name] !== undefined && !studio.blueprintProblems[name])],
  ["trial", "Try", TrialStep, (_, step) => step.state?.report?.status === "ok"],
  ["take", "Take", TakeStep, (studio) => !studio.isChanged && Boolean(studio.path)],
];

class Page {
  constructor(studio) {
    this.studio = studio;
    this.tabs = document.querySelector("#tabs");
    this.panel = document.querySelector("#panel");
    this.found = document.querySelector("#found");
    this.file = document.querySelector("#file");
    this.steps = Object.fromEntries(STEPS.map(([name, , Step]) => [name, new Step(studio, this)]));
    this.current = "connect";
    this.said = [];
    this.isPressed = this.isDue = false;
  }

  async start() {
    startTheme(document.querySelector("#theme"));
    await this.studio.open();
    this.editor = new MappingEditor(document.querySelector("#editor"), {
      text: this.studio.text,
      complete: completer(() => ({ schema: this.studio.schema, record: this.studio.view?.records[this.studio.record]?.tree, variables: this.studio.variables })),
      changed: (text) => { this.said = []; this.studio.changed(text); this.#name(); },
      moved: (line) => this.#moved(line),
      save: () => this.save(),
    });
    document.querySelector("#save").addEventListener("click", () => this.save());
    this.#makeTabs();
    this.#watchPresses();
    this.studio.on(() => this.show());
    addEventListener("beforeunload", (event) => { if (this.studio.isChanged) event.preventDefault(); });
    await this.studio.look();
    if (this.studio.resources?.length) this.go("records");
  }

  #makeTabs() {
    STEPS.forEach(([name, title], number) => {
      this.tabs.append(h("button.tab", {
        type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel",
        onclick: () => this.go(name),
      }, h("span.number", {}, String(number + 1)), title));
    });
    this.tabs.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = STEPS.findIndex(([name]) => name === this.current);
      this.go(STEPS[(at + step + STEPS.length) % STEPS.length][0]);
      this.tabs.querySelector("[aria-selected=true]").focus();
    });
  }

  /** What is pressed stays until it is let go: a click on what was replaced in between is a click on nothing. */
  #watchPresses() {
    const released = () => {
      this.isPressed = false;
      if (this.isDue) setTimeout(() => this.show());
    };
    addEventListener("pointerdown", () => { this.isPressed = true; });
    for (const end of ["pointerup", "pointercancel", "blur"]) addEventListener(end, released);
    // A list that the browser itself shows keeps the release to itself.
    addEventListener("pointermove", (event) => { if (this.isPressed && !event.buttons) released(); });
  }

  go(name) {
    this.current = name;
    this.panel.scrollTop = 0;
    this.show();
    document.querySelector(`#tab-${name}`).scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** Let the studio write what it is asked for at `path` into the text; what it answered, once it is in the editor. */
  write(path, asked, options = {}) {
    return this.editor.rewrite((text) => post(path, { text, ...asked }), options);
  }

  /** What is answered; null where it was refused, which is said then. */
  async orSay(answer) {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!error.isSuperseded) this.say(error.problems);
      return null;
    }
  }

  say(problems) {
    this.said = problems;
    this.show();
  }

  /** The cursor came to another line: the resource that it stands in comes into view. */
  #moved(line) {
    const at = this.studio.resources?.findIndex((each) => each.line <= line && line < each.to_line) ?? -1;
    if (at >= 0 && !this.studio.isStale) this.studio.show(at);
  }

  show() {
    this.isDue = this.isPressed;
    if (this.isDue) return;
    const { studio } = this;
    for (const tab of this.tabs.children) {
      const isOwn = tab.id === `tab-${this.current}`;
      tab.setAttribute("aria-selected", String(isOwn));
      const [name, , , isDone] = STEPS.find(([each]) => tab.id === `tab-${each}`);
      tab.classList.toggle("done", Boolean(isDone(studio, this.steps[name])));
      tab.tabIndex = isOwn ? 0 : -1;
    }
    this.panel.setAttribute("aria-labelledby", `tab-${this.current}`);
    const step = this.steps[this.current];
    const focused = this.panel.contains(document.activeElement) ? document.activeElement : null;
    step.show();
    if (this.panel.firstElementChild !== step.element) fill(this.panel, step.element);
    if (focused && !focused.isConnected) focusAgain(focused, this.panel);
    this.panel.classList.toggle("stale", studio.isStale);
    this.panel.setAttribute("aria-busy", String(studio.isLooking || studio.isAsking));
    this.#marks();
    this.#name();
  }

  #marks() {
    const { studio } = this;
    const errors = studio.problems.filter((each) => each.severity === "error").length;
    const warnings = studio.problems.length - errors;
    const more = [...(studio.trouble?.problems ?? []), ...this.said];
    const state = studio.isLooking ? "trying it …" : errors ? plural(errors, "problem") : warnings ? plural(warnings, "warning") : studio.text.trim() ? "no problems" : "";
    fill(this.found,
      h("h2", {}, h("span", { class: `status ${studio.isLooking ? "" : errors || more.length ? "bad" : warnings ? "warn" : studio.text.trim() ? "good" : ""}` }, state || "empty"),
        studio.isStale ? h("span.dim.small-text", {}, " on the right: the last text without mistakes") : null),
      problemList([...more, ...studio.problems], (line, column) => this.editor.goTo(line, column)));
    const shown = JSON.stringify(studio.problems);
    if (shown !== this.marked) { this.marked = shown; this.editor.mark(studio.problems); }
  }

  #name() {
    const { studio } = this;
    fill(this.file, h("code", {}, studio.path ?? "not saved yet"), studio.isChanged ? h("span.dot", { title: "changed since it was saved" }, " ●") : null);
    document.title = `${studio.isChanged ? "● " : ""}${studio.path?.split("/").at(-1) ?? "new mapping"} · portsync studio`;
  }

  async save({ path = null, over = false } = {}) {
    const { studio } = this;
    if (!studio.path && !path) {
      const name = await askPath(studio.folder);
      return name ? this.save({ path: name }) : undefined;
    }
    const { text } = studio;
    try {
      const saved = await post("/api/save", { text, path, over });
      studio.path = saved.path;
      studio.saved = text;
      this.said = [];
      this.show();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.status === 409 && confirm(`${error.problems[0].message}: ${error.problems[0].place}\n\nWrite it over?`)) return this.save({ path, over: true });
      this.say(error.problems);
    }
    return undefined;
  }
}

const page = new Page(new Studio());
page.start().catch((error) => {
  fill(document.querySelector("#found"), problemList(error.problems ?? [{ code: "studio", message: String(error), hint: null }]));
});
