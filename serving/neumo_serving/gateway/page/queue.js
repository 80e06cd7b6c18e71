// Asks about the waiting films, a few at a time; where the server is busy, again after its delay.

import { explain, Problem } from "./api.js";
import * as films from "./films.js";
import { read } from "./answer.js";

const AT_ONCE = 2;
const MAX_TRIES = 6;
const BUSY = ["busy", "rate-limit"];
const PAUSE_SECONDS = 2;

let asking = 0;
let maxBytes = Infinity;
let onEnd = () => {};

/** Calls `listener(film)` whenever a film has its answer or its problem. */
export function onFilmEnd(listener) {
  onEnd = listener;
}

/** Files larger than this are refused without being sent. */
export function limitBytes(bytes) {
  maxBytes = bytes;
}

/** Starts as many waiting films as may run now. */
export function work() {
  while (asking < AT_ONCE) {
    const next = films.all().find((film) => film.state === films.WAITING);
    if (next === undefined) return;
    asking += 1;
    films.update(next, { state: films.ASKING, busy: false });
    run(next).finally(() => {
      asking -= 1;
      work();
    });
  }
}

/** Asks about `film` once more. */
export function again(film) {
  films.update(film, { state: films.WAITING, problem: null });
  work();
}

async function run(film) {
  try {
    const answer = await answered(film);
    films.update(film, { state: films.DONE, answer, file: null, at: new Date() });
  } catch (error) {
    if (error.name === "AbortError") return;
    const problem = error instanceof Problem ? error : new Problem("internal", String(error));
    films.update(film, { state: films.FAILED, problem, busy: false });
  }
  onEnd(film);
}

async function answered(film) {
  if (film.file.size > maxBytes) throw new Problem("too-large");
  for (let tries = 1; ; tries += 1) {
    try {
      return await read(await explain(film.file, film.cancel.signal));
    } catch (error) {
      if (!BUSY.includes(error.type) || tries === MAX_TRIES) throw error;
      films.update(film, { busy: true });
      await pause(error.retrySeconds ?? PAUSE_SECONDS, film.cancel.signal);
      films.update(film, { busy: false });
    }
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
