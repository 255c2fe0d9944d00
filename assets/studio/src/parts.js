// Pieces that several steps show.
import { bytes, h, plural, select } from "./dom.js";

/** Problems as they are everywhere: code, message, what to do. */
export function problemList(problems, goTo) {
  return h("ul.problems", {}, problems.map((problem) => h(`li.${problem.severity ?? "error"}`, {},
    problem.line && goTo
      ? h("button.place", { type: "button", onclick: () => goTo(problem.line, problem.column) }, `${problem.line}:${problem.column}`)
      : problem.place ? h("span.place.dim", {}, problem.place) : null,
    h("div", {},
      h("p", {}, h("code", {}, problem.code), " ", problem.message),
      problem.hint ? h("p.hint", {}, problem.hint) : null))));
}

export function nothing(title, text, ...actions) {
  return h("div.nothing", {}, h("p", {}, h("b", {}, title)), h("p", {}, text), actions.length ? h("p.actions", {}, actions) : null);
}

export function stateTag(tone, text) { return h(`span.status.${tone}`, {}, text); }

/** Which resource is in view, where there are several. */
export function resourceChoice(studio) {
  const all = studio.resources ?? [];
  if (all.length < 2) return all.length ? h("code.kind", {}, `${all[0].method} ${all[0].kind}`) : null;
  const options = all.map((each, number) => [String(number), `${number + 1}. ${each.method} ${each.kind}`]);
  const element = select(options, String(studio.index), (value) => studio.show(Number(value)));
  element.setAttribute("aria-label", "Resource");
  return element;
}

export function askButton(studio, label = "Ask the source") {
  return studio.isAsking
    ? h("button", { type: "button", onclick: () => studio.stop() }, "Stop asking")
    : h("button", { type: "button", class: studio.view?.answers.length ? "" : "primary", onclick: () => studio.ask(), disabled: !studio.resources || studio.problems.some((each) => each.code === "unset-variable") }, label);
}

/** A request, as it goes out. */
export function requestLines(request, status) {
  const [address, query] = [request.url.split("?")[0], request.url.split("?").slice(1).join("?")];
  const parameters = [...new URLSearchParams(query)];
  return h("div.request", {},
    h("p.line-of-request", {}, h("b.method", {}, request.method), " ", h("code", {}, address), status ?? null),
    parameters.length ? h("dl.pairs", {}, parameters.map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value))])) : null,
    request.headers.length ? h("details.fold", {}, h("summary", {}, plural(request.headers.length, "header")), h("dl.pairs", {}, request.headers.map(([name, value]) => [h("dt", {}, name), h("dd", {}, h("code", {}, value))]))) : null,
    request.body === null ? null : h("pre", {}, typeof request.body === "string" ? request.body : JSON.stringify(request.body, null, 2)));
}

export function answerStatus(answer) {
  const tone = answer.status < 300 ? "good" : answer.status < 400 ? "warn" : "bad";
  return [" ", stateTag(tone, String(answer.status)), " ", h("span.dim.small-text", {}, bytes(answer.bytes))];
}
