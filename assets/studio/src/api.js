// Asks the studio itself, and nobody else.

export class Refused extends Error {
  constructor(status, body) {
    super(body?.problems?.[0]?.message ?? `the studio answered ${status}`);
    this.status = status;
    this.problems = body?.problems ?? [{ code: "studio", message: this.message, hint: null, place: null }];
    this.isSuperseded = Boolean(body?.is_superseded);
  }
}

const GONE = {
  problems: [{
    code: "studio-gone",
    message: "the studio does not answer: its process in the terminal has ended",
    hint: "start `portsync studio` again; what stands in the editor is still here, and can be copied",
    place: null,
  }],
};

/** What the studio answers to `asked` at `path`. Throws Refused. */
export async function post(path, asked = {}, signal = undefined) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw new Refused(0, { is_superseded: true });
    throw new Refused(0, GONE);
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok || body?.is_superseded) throw new Refused(answer.status, body);
  return body;
}
