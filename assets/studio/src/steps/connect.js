// Connect: where the API is, and who asks. A secret is named in the file, and never written into it.
import { Refused, post } from "../api.js";
import { field, fill, h, select } from "../dom.js";
import { problemList } from "../parts.js";

const KINDS = [
  ["bearer", "Bearer token"], ["api_key", "API key in a header"], ["basic", "User name and password"], ["none", "None"],
];

export class ConnectStep {
  constructor(studio, page) {
    this.studio = studio;
    this.page = page;
    this.baseUrl = h("input", { type: "url", placeholder: "https://api.example.com", spellcheck: "false", autocomplete: "off" });
    this.kind = select(KINDS, "bearer", () => this.#parts());
    this.variable = h("input", { type: "text", value: "API_TOKEN", spellcheck: "false", autocomplete: "off", oninput: () => this.#state() });
    this.username = h("input", { type: "text", spellcheck: "false", autocomplete: "off" });
    this.header = h("input", { type: "text", value: "X-API-Key", spellcheck: "false", autocomplete: "off" });
    this.value = h("input", { type: "password", autocomplete: "new-password", spellcheck: "false", placeholder: "paste it here" });
    this.isSet = h("p.small-text", { role: "status" });
    this.trouble = h("div");
    this.parts = h("div.fields");
    this.variables = h("div");
    const form = h("form.fields", { novalidate: true, onsubmit: (event) => { event.preventDefault(); this.#write(); } },
      field("Base URL", this.baseUrl, "Every endpoint is joined to it. Requests go there, and nowhere else."),
      field("Who asks", this.kind), this.parts, this.trouble,
      h("p.actions", {}, h("button.primary", { type: "submit" }, "Connect")));
    this.element = h("section.step", {},
      h("div.head", {}, h("h2", {}, "Connect to the API")),
      h("p.lead", {}, "The mapping names its secrets, and holds none: they come from the environment of this process, or stay in its memory until it ends."),
      h("div.panel", {}, form), this.variables);
    this.#parts();
  }

  #parts() {
    const label = { bearer: "token", api_key: "key", basic: "password" }[this.kind.value];
    fill(this.parts, label ? [
      this.kind.value === "basic" ? field("User name", this.username) : null,
      this.kind.value === "api_key" ? field("Header", this.header) : null,
      h("div.two", {}, field(`Variable of the ${label}`, this.variable, "Its name stands in the file."),
        field(`The ${label} itself, where it is not set`, this.value, "Kept in memory; never in the file, and never shown again.")),
      this.isSet] : null);
    this.#state();
  }

  #state() {
    const name = this.variable.value.trim();
    const known = this.studio.variables.find((each) => each.name === name);
    fill(this.isSet, known?.is_set ? h("span.status.good", {}, `${name} is set`) : known ? h("span.status.warn", {}, `${name} is not set`) : null);
  }

  async #write() {
    const { studio } = this;
    fill(this.trouble);
    const variable = this.variable.value.trim();
    try {
      await this.page.write("/api/connect", {
        base_url: this.baseUrl.value.trim(), auth: this.kind.value, variable,
        username: this.username.value.trim(), header: this.header.value.trim(),
      });
      if (this.value.value && this.kind.value !== "none") {
        await post("/api/value", { name: variable, value: this.value.value });
        this.value.value = "";
      }
      await studio.look();
      if (!studio.resources?.length) this.page.go("endpoint");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(this.trouble, problemList(error.problems));
    }
  }

  show() {
    const { studio } = this;
    if (!this.baseUrl.value && document.activeElement !== this.baseUrl) {
      this.baseUrl.value = /^\s*base_url:\s*["']?(https?:[^\s"']+)/m.exec(studio.text)?.[1] ?? "";
      const kind = /type:\s*(bearer|api_key|basic|none)\b/.exec(studio.text)?.[1];
      if (kind) this.kind.value = kind;
      const named = /(?:token|key|password):\s*["']?\$\{([A-Za-z_]\w*)/.exec(studio.text)?.[1];
      if (named) this.variable.value = named;
      this.#parts();
    }
    this.#state();
    if (this.variables.contains(document.activeElement)) return;
    fill(this.variables, studio.variables.length ? h("div.panel", {}, h("h3", {}, "Variables of this mapping"),
      h("ul.variables", {}, studio.variables.map((each) => this.#variable(each)))) : null);
  }

  #variable({ name, is_set }) {
    const input = h("input", { type: "password", autocomplete: "new-password", "aria-label": `Value of ${name}`, placeholder: is_set ? "another value" : "value" });
    const give = async () => {
      if (!input.value) return;
      await post("/api/value", { name, value: input.value });
      input.value = "";
      input.blur();
      await this.studio.look();
    };
    input.addEventListener("keydown", (event) => { if (event.key === "Enter") give(); });
    return h("li", {}, h("code", {}, name), h(`span.status.${is_set ? "good" : "warn"}`, {}, is_set ? "set" : "not set"), input,
      h("button", { type: "button", onclick: give }, "Keep in memory"));
  }
}
