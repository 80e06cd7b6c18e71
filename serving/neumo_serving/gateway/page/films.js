// The films of this tab, in the order they came. In memory only: a reload forgets them.

export const WAITING = "waiting";
export const ASKING = "asking";
export const DONE = "done";
export const FAILED = "failed";

const UNDO_MS = 10_000;
const listeners = [];
let films = [];
let chosen = null;
let pasted = 0;
let removed = [];
let forgetting = null;

/** Calls `listener()` after each change of any film, of the list or of the choice. */
export function onChange(listener) {
  listeners.push(listener);
}

export function all() {
  return films;
}

/** The film whose result is shown, or null. */
export function chosenFilm() {
  return chosen;
}

/** Adds a film for each of `files` and chooses the first of them. */
export function add(files) {
  const added = files.map((file) => ({
    name: file.pastedName?.(++pasted) ?? file.name,
    file: file.content ?? file,
    state: WAITING,
    busy: false,
    answer: null,
    problem: null,
    at: null,
    cancel: new AbortController(),
  }));
  films = [...films, ...added];
  chosen = added[0] ?? chosen;
  tell();
}

export function choose(film) {
  chosen = film;
  tell();
}

/** Puts `changes` into `film`. A film that was removed meanwhile stays away. */
export function update(film, changes) {
  Object.assign(film, changes);
  if (films.includes(film)) tell();
}

/** Forgets `film` and what is being asked about it; its neighbour is chosen in its place. */
export function remove(film) {
  film.cancel.abort();
  const place = films.indexOf(film);
  films = films.filter((one) => one !== film);
  if (chosen === film) chosen = films[Math.min(place, films.length - 1)] ?? null;
  tell();
}

/** Forgets all films, but for ten seconds in which `restore` brings them back. */
export function removeAll() {
  for (const film of films) film.cancel.abort();
  removed = films;
  clearTimeout(forgetting);
  forgetting = setTimeout(() => {
    removed = [];
    tell();
  }, UNDO_MS);
  films = [];
  chosen = null;
  tell();
}

/** Whether `restore` would bring something back. */
export function canRestore() {
  return removed.length > 0;
}

/** Brings back what `removeAll` took away; what had no answer yet is asked about again. */
export function restore() {
  for (const film of removed) {
    film.cancel = new AbortController();
    if (![DONE, FAILED].includes(film.state)) film.state = WAITING;
  }
  films = [...removed, ...films];
  removed = [];
  chosen ??= films[0];
  tell();
}

function tell() {
  for (const listener of listeners) listener();
}
