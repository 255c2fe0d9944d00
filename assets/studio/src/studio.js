// What the page knows, and how it keeps itself up to date: a change of the text sets off one look, and the newest counts.
import { Refused, post } from "./api.js";

const PAUSE_MS = 40;

export class Studio {
  constructor() {
    this.text = "";
    this.saved = "";
    this.path = null;
    this.folder = "";
    this.index = 0;
    this.record = 0;
    this.problems = [];
    this.variables = [];
    this.resources = null;
    this.view = null;
    this.isStale = false;
    this.isLooking = false;
    this.isAsking = false;
    this.trouble = null;
    this.askTrouble = null;
    this.blueprints = {};
    this.blueprintProblems = {};
    this.names = [];
    this.schema = null;
    this.tookMs = null;
    this.opened = { record: new Set(), answer: new Set() };
    this.listeners = [];
    this.timer = null;
    this.shownIndex = null;
    this.serial = 0;
  }

  on(listener) { this.listeners.push(listener); }

  told() { for (const listener of this.listeners) listener(this); }

  get resource() { return this.resources?.[this.index] ?? null; }

  get asked() { return { text: this.text, index: this.index, blueprints: this.blueprints }; }

  get isChanged() { return this.text !== this.saved; }

  async open() {
    const file = await post("/api/open");
    this.text = this.saved = file.text;
    this.path = file.path;
    this.folder = file.folder;
    this.index = this.record = 0;
    this.blueprints = Object.fromEntries(Object.entries(file.blueprints).map(([name, value]) => [name, `${JSON.stringify(value, null, 2)}\n`]));
    this.schema ??= await post("/api/schema");
  }

  /** The text was changed; look again once the keys rest. */
  changed(text) {
    this.text = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PAUSE_MS);
  }

  show(index) {
    if (index === this.index) return;
    this.index = index;
    this.record = 0;
    this.look();
  }

  async look() {
    clearTimeout(this.timer);
    const serial = ++this.serial;
    this.isLooking = true;
    const slow = setTimeout(() => this.told(), 250);
    try {
      const found = await post("/api/look", this.asked);
      if (serial === this.serial) this.#take(found);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (serial === this.serial && !error.isSuperseded) this.trouble = error;
    } finally {
      clearTimeout(slow);
      if (serial === this.serial) { this.isLooking = false; this.told(); }
    }
  }

  #take(found) {
    this.trouble = null;
    this.problems = found.problems;
    this.variables = found.variables;
    this.blueprintProblems = found.blueprint_problems;
    this.tookMs = found.took_ms;
    // A text with a mistake leaves in view what the last good one showed.
    this.isStale = found.resources === null && this.view !== null;
    if (found.resources !== null) {
      this.resources = found.resources;
      this.names = found.blueprints;
      // An expression that fails on a whole page takes the records out of the answer, and not out of view.
      if (found.view?.end?.reason === "jq" && !found.view.records.length && this.shownIndex === this.index) {
        found.view.records = (this.view?.records ?? []).map((each) => ({ ...each, is_filtered: false, entities: [], failures: [found.view.end.problem], field_errors: [] }));
      }
      this.view = found.view;
      this.shownIndex = this.index;
      if (this.index >= found.resources.length) { this.index = 0; this.record = 0; if (found.resources.length) this.look(); }
      this.record = Math.min(this.record, Math.max(0, (found.view?.records.length ?? 1) - 1));
    } else if (!this.text.trim()) {
      this.resources = this.view = null;
      this.isStale = false;
    }
  }

  /** Ask the source itself. */
  async ask() {
    if (this.isAsking) return;
    this.isAsking = true;
    this.askTrouble = null;
    this.told();
    const of = JSON.stringify(this.asked);
    try {
      const found = await post("/api/ask", this.asked);
      // What was typed meanwhile is looked at, with the answers that are there now.
      if (of === JSON.stringify(this.asked)) this.#take(found);
      else await this.look();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!error.isSuperseded) this.askTrouble = error;
    } finally {
      this.isAsking = false;
      this.told();
    }
  }

  async stop() { await post("/api/stop"); }
}
