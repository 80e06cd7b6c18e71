// The films of this tab, in the order they came. In memory only: a reload forgets them.

export const WAITING = "waiting";
export const ASKING = "asking";
export const DONE = "done";
export const FAILED = "failed";

const listeners = [];
let films = [];
let chosen = null;
let pasted = 0;

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

export function removeAll() {
  for (const film of films) film.cancel.abort();
  films = [];
  chosen = null;
  tell();
}

function tell() {
  for (const listener of listeners) listener();
}
