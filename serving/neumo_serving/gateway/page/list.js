// The list of this tab's films. Each row is kept and changed in place, so that the focus stays.

import { button, element } from "./dom.js";
import { thumbnail } from "./figure.js";
import * as films from "./films.js";
import { percent, text } from "./language.js";
import { problemText } from "./result.js";
import { doubtOf, shortVerdict, warningTexts } from "./verdict.js";

const section = document.getElementById("history");
const list = document.getElementById("films");
const progress = document.getElementById("progress");
const rows = new Map();

/** Brings the list up to date; `choose` and `remove` are called with a row's film. */
export function showList({ choose, remove }) {
  const present = films.all();
  section.hidden = present.length === 0;
  for (const [film, row] of rows) {
    if (!present.includes(film)) {
      row.item.remove();
      rows.delete(film);
    }
  }
  for (const film of present) {
    if (!rows.has(film)) rows.set(film, newRow(film, choose, remove));
    fill(rows.get(film), film);
  }
  const done = present.filter((film) => [films.DONE, films.FAILED].includes(film.state)).length;
  progress.textContent = text("progress", { done, total: present.length });
  progress.hidden = present.length < 2;
}

/** Moves the focus to the row of the chosen film; false where there is none. */
export function focusChosen() {
  const row = rows.get(films.chosenFilm());
  row?.open.focus();
  return row !== undefined;
}

function newRow(film, choose, remove) {
  const row = {
    picture: element("span", { class: "thumb" }),
    line: element("span", { class: "line" }),
    cautions: element("span", { class: "cautions" }),
    drop: button("×", () => remove(film), { class: "quiet remove" }),
  };
  row.open = button(row.picture, () => choose(film), { class: "film" });
  row.open.append(
    element(
      "span",
      { class: "about" },
      element("span", { class: "name" }, film.name),
      row.line,
      row.cautions,
    ),
  );
  row.item = element("li", {}, row.open, row.drop);
  list.append(row.item);
  return row;
}

function fill(row, film) {
  const chosen = film === films.chosenFilm();
  row.open.setAttribute("aria-current", String(chosen));
  row.drop.setAttribute("aria-label", text("forget_label", { name: film.name }));
  row.drop.title = text("forget_one");
  row.line.textContent = lineOf(film);
  row.cautions.textContent = cautionsOf(film);
  row.item.className = classOf(film);
  if (film.state === films.DONE && row.picture.childElementCount === 0) {
    row.picture.append(thumbnail(film.answer));
  }
}

function lineOf(film) {
  if (film.state === films.FAILED) return problemText(film.problem);
  if (film.state !== films.DONE) return text(film.busy ? "busy_wait" : film.state);
  const { prediction } = film.answer;
  return `${shortVerdict(prediction)} · ${percent(prediction.probability)}`;
}

/** What each warning is about: its sentence as far as the colon. */
function cautionsOf(film) {
  if (film.state !== films.DONE) return "";
  return warningTexts(film.answer.prediction).map((words) => words.split(":")[0]).join("; ");
}

function classOf(film) {
  if (film.state !== films.DONE) return film.state;
  const { prediction } = film.answer;
  return doubtOf(prediction) ? `${prediction.label} doubtful` : prediction.label;
}
