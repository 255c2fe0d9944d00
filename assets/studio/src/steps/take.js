// Take: the files, and the commands that run them.
import { Refused, post } from "../api.js";
import { copier, fill, h } from "../dom.js";
import { nothing, problemList } from "../parts.js";

function download(name, content, type) {
  const link = h("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export class TakeStep {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.taken = null;
    this.of = null;
    this.trouble = [];
    this.written = null;
    this.element = h("section.step", {});
  }

  show() {
    const { studio } = this;
    if (!studio.resources?.length) {
      fill(this.element, nothing("Nothing to take yet", "There is no mapping in the editor.", h("button.primary", { type: "button", onclick: () => this.page.go("connect") }, "Connect to an API")));
      return;
    }
    const key = JSON.stringify([studio.text, studio.blueprints, studio.path, studio.view?.answers.length]);
    if (key !== this.of && !studio.isLooking && !studio.isStale) { this.of = key; this.#load(); }
    const errors = studio.problems.filter((each) => each.severity === "error").length;
    fill(this.element,
      h("div.head", {}, h("h2", {}, "Take the files"), h("span.grow"),
        h("button", { type: "button", disabled: !this.taken, onclick: () => this.#archive() }, "Download all"),
        h("button.primary", { type: "button", disabled: !this.taken, onclick: () => this.#write() }, "Write them to disk")),
      h("p.lead", {}, "The mapping, its blueprints, and a test case made of the answers that are kept. No secret is in any of them, but records of the source are in the test case."),
      errors ? h("p", {}, h("span.status.bad", {}, "the mapping has problems; they are below the editor")) : null,
      this.trouble.length ? problemList(this.trouble) : null,
      this.written ? h("p.note", { role: "status" }, h("b", {}, "Written: "), this.written.map((path) => h("code", {}, `${path} `))) : null,
      this.taken ? [
        h("div.panel", {}, h("h3", {}, "Files"), h("ul.files", {}, this.taken.files.map((file) => this.#file(file)))),
        h("div.head", {}, h("h2", {}, "Run it")),
        this.taken.commands.map((command, number) => h("details.panel", { open: number === 0 || undefined }, h("summary", {}, h("h3", {}, command.title)), h("p.dim", {}, command.about), h("div.code", {}, h("pre", {}, command.text), copier(command.text)))),
      ] : this.trouble.length ? null : h("p.dim", {}, "…"));
  }

  #file(file) {
    return h("li", {}, h("details", {}, h("summary", {}, h("code", {}, file.name), h("span.dim", {}, file.about)), h("pre", {}, file.text)),
      h("button.small", { type: "button", "aria-label": `Download ${file.name}`, onclick: () => download(file.name.split("/").at(-1), file.text, "text/plain") }, "Download"));
  }

  /** Show what came, where this step is still the one in view. */
  #again() {
    if (this.page.current === "take") this.page.show();
  }

  async #load() {
    const { of } = this;
    const found = await this.#ask("/api/taken", this.studio.asked);
    if (found && of === this.of) { this.taken = found; this.#again(); }
  }

  async #archive() {
    const found = await this.#ask("/api/archive", this.studio.asked);
    if (!found) return;
    const bytes = Uint8Array.from(atob(found.zip), (each) => each.charCodeAt(0));
    download(`${this.taken.files[0].name.replace(/\.yaml$/, "")}.zip`, bytes, "application/zip");
  }

  async #write(over = false) {
    const { studio } = this;
    const { text } = studio;
    const found = await this.#ask("/api/write", { of: studio.asked, over }, (error) => {
      if (error.status !== 409) return false;
      const names = error.problems.map((each) => each.place).join("\n");
      if (confirm(`These files are there with another content:\n\n${names}\n\nWrite them over?`)) this.#write(true);
      return true;
    });
    if (!found) return;
    studio.path = found.path;
    studio.saved = text;
    this.written = found.written;
    this.page.show();
  }

  /** What the studio answers; null where it refused, and said why. */
  async #ask(path, asked, isHandled = () => false) {
    try {
      this.trouble = [];
      return await post(path, asked);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!error.isSuperseded && !isHandled(error)) { this.trouble = error.problems; this.taken = null; this.#again(); }
      return null;
    }
  }
}
