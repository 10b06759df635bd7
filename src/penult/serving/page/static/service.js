// The service: what is asked of it, and what it says when it cannot.
const ROOT = new URL("../v1/", import.meta.url); // also where a proxy puts the page below a path
const MOST_WAIT = 5; // seconds until a busy service is asked again

// An answer that is none: its sentence is shown as it is.
class Problem extends Error {
  constructor(sentence, status, labels) {
    super(sentence);
    this.status = status;
    this.labels = labels; // of pictures that have others by now than were expected
  }
}

let token = null; // asks for a token, and resolves once the service has taken one
export function askTokenWith(asker) { token = asker; }

const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

// An id at the end of an address, and the address of a picture of the gallery.
export const idPath = (id) => id.split("/").map(encodeURIComponent).join("/");
export const address = (kind, id) => new URL(`${kind}/${idPath(id)}`, ROOT).href;
export const LABELS_AS_CSV = new URL("labels?format=csv", ROOT).href;

// A request below /v1, whose JSON is returned. `json` or `body` is sent; a busy service is asked again.
export async function ask(path, { method = "GET", query = {}, json, body, type, signal, patience = 2 } = {}) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) if (one !== undefined && one !== null && one !== "") url.searchParams.append(name, one);
  }
  const headers = { Accept: "application/json" };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  else if (type) headers["Content-Type"] = type;
  const sent = { method, headers, signal, credentials: "same-origin", body: json === undefined ? body : JSON.stringify(json) };
  for (let tries = 0; ; tries++) {
    let answer;
    try {
      answer = await fetch(url, sent);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem("The service cannot be reached. Is it still running?", 0);
    }
    if (answer.ok) return answer.json();
    if (answer.status === 401 && token && path !== "session") {
      await token();
      continue;
    }
    const wait = Number(answer.headers.get("Retry-After"));
    if (answer.status === 503 && tries < patience) {
      await sleep(Math.min(MOST_WAIT, wait || 1));
      continue;
    }
    throw await problem(answer);
  }
}

async function problem(answer) {
  let sentence = `The service answered with status ${answer.status}.`, labels;
  try {
    const said = await answer.json();
    if (typeof said.detail === "string" && said.detail) sentence = said.detail;
    else if (typeof said.title === "string") sentence = said.title;
    ({ labels } = said);
  } catch { /* not JSON: a proxy's page, say */ }
  const end = /[.!?]$/.test(sentence) ? "" : ".";
  return new Problem(sentence[0].toUpperCase() + sentence.slice(1) + end, answer.status, labels);
}
