// Puts the page together: films come in, are asked about, and are shown.

import { announce } from "./dom.js";
import * as films from "./films.js";
import { startIntake } from "./intake.js";
import { onLanguage, startLanguage, text } from "./language.js";
import { focusChosen, showList } from "./list.js";
import { again, limitBytes, onFilmEnd, work } from "./queue.js";
import { announceEnd, focusResult, NOT_AGAIN, showResult } from "./result.js";
import { askService, onToken, showService } from "./service.js";
import { startTheme } from "./theme.js";

const SERVICE_EVERY_MS = 30_000;
const LOCKED = ["unauthorized", "wrong-key"];

const undo = document.getElementById("undo");
const againAll = document.getElementById("again-all");

function take(files) {
  films.add(files);
  const one = files.length === 1;
  announce(one ? text("added_one") : text("added_many", { count: files.length }));
  work();
}

function choose(film) {
  films.choose(film);
  focusResult();
}

function remove(film) {
  films.remove(film);
  announce(text("forgotten", { name: film.name }));
  if (!focusChosen()) document.getElementById("chooser").focus();
}

function forgetAll() {
  films.removeAll();
  announce(text("forgotten_all"));
  document.getElementById("chooser").focus();
}

function end(film) {
  announceEnd(film);
  if (film.problem) refreshService();
}

function restore() {
  films.restore();
  announce(text("restored"));
  focusChosen();
  work();
}

/** The films that failed, but not by what they are. */
function failed() {
  return films.all().filter(({ problem }) => problem && !NOT_AGAIN.includes(problem.type));
}

function show() {
  undo.hidden = !films.canRestore();
  againAll.hidden = failed().length < 2;
  document.body.classList.toggle("empty", films.all().length === 0);
  showList({ choose, remove });
  showResult();
}

async function refreshService() {
  const limits = await askService();
  if (limits) limitBytes(limits.max_film_bytes);
}

function lookAtService() {
  if (!document.hidden) refreshService();
}

function useToken() {
  refreshService();
  const refused = films.all().filter((film) => LOCKED.includes(film.problem?.type));
  for (const film of refused) again(film);
  document.getElementById("chooser").focus();
}

startTheme();
if (!(await startLanguage())) document.getElementById("broken").hidden = false;
films.onChange(show);
onLanguage(() => {
  showService();
  showList({ choose, remove });
  showResult({ evenIfSame: true });
});
onFilmEnd(end);
onToken(useToken);
document.getElementById("forget").addEventListener("click", forgetAll);
undo.addEventListener("click", restore);
againAll.addEventListener("click", () => failed().forEach(again));
startIntake(take);
setInterval(lookAtService, SERVICE_EVERY_MS);
await refreshService();
