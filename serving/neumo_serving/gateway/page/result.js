// The chosen film's result, or what is known of it so far.

import { announce, button, element } from "./dom.js";
import { figureOf } from "./figure.js";
import * as films from "./films.js";
import { decimal, moment, percent, text, textOr } from "./language.js";
import { again } from "./queue.js";
import { scaleOf } from "./scale.js";
import { doubtText, toneOf, verdict, warningTexts } from "./verdict.js";

const section = document.getElementById("result");
/** Problems of the film itself, which asking again does not mend. */
export const NOT_AGAIN = ["image", "not-a-chest", "too-large", "media-type", "unreadable", "empty"];
let shown = null;

/** Shows the chosen film; where the focus was inside, it goes to the new heading. */
export function showResult({ evenIfSame = false } = {}) {
  const film = films.chosenFilm();
  const now = film && [film, film.state, film.busy];
  if (!evenIfSame && shown && now && now.every((part, i) => part === shown[i])) return;
  shown = now;
  const focused = section.contains(document.activeElement);
  section.hidden = film === null;
  section.className = `result ${film ? tone(film) : ""}`;
  section.replaceChildren(...(film ? parts(film) : []));
  if (focused) focusResult();
}

/** Moves the focus to the result's heading. */
export function focusResult() {
  document.getElementById("result-title")?.focus();
}

/** Reads the verdict, or the problem, to whoever uses a screen reader. */
export function announceEnd(film) {
  const { name } = film;
  if (film.state === films.FAILED) {
    announce(text("announce_failure", { name, title: problemText(film.problem) }));
    return;
  }
  const { prediction } = film.answer;
  const told = { name, verdict: verdict(prediction), probability: percent(prediction.probability) };
  const cautions = [doubtText(prediction), ...warningTexts(prediction)].filter(Boolean);
  announce([text("announce_answer", told), ...cautions].join(" "));
}

export function problemText(problem) {
  return textOr(`problem_${problem.type}`, text("problem_internal"));
}

function tone(film) {
  if (film.state === films.FAILED) return "problem";
  if (film.state !== films.DONE) return "pending";
  return toneOf(film.answer.prediction);
}

function parts(film) {
  if (film.state === films.DONE) return answered(film);
  if (film.state === films.FAILED) return failed(film);
  const line = film.busy ? "busy_wait" : film.state;
  return [
    name(film),
    heading(text(line)),
    element("div", { class: "spinner", "aria-hidden": "true" }),
  ];
}

function name(film) {
  return element("p", { class: "film-name" }, film.name);
}

function heading(words) {
  return element("h2", { id: "result-title", tabindex: "-1" }, words);
}

function failed(film) {
  const { problem } = film;
  const advice = textOr(`problem_${problem.type}_advice`, text("problem_internal_advice"));
  const retry = NOT_AGAIN.includes(problem.type)
    ? null
    : button(text("again"), () => again(film), { class: "button" });
  return [
    letterhead(),
    name(film),
    heading(problemText(problem)),
    element("p", {}, advice),
    bareFilm(film),
    retry,
    problem.detail ? technical(problem.detail) : null,
  ].filter((part) => part !== null);
}

/** The film as the browser itself shows it, where it can: of a refused one there is no other. */
function bareFilm(film) {
  const picture = element("img", { class: "bare", alt: text("plain_label"), hidden: true });
  const address = URL.createObjectURL(film.file);
  picture.addEventListener("load", () => {
    picture.hidden = false;
    URL.revokeObjectURL(address);
  });
  picture.addEventListener("error", () => URL.revokeObjectURL(address));
  picture.src = address;
  return picture;
}

function technical(detail) {
  return element(
    "details",
    { class: "technical" },
    element("summary", {}, text("technical")),
    element("p", { lang: "en" }, detail),
  );
}

function answered(film) {
  const { answer } = film;
  const { prediction } = answer;
  const numbers = {
    probability: percent(prediction.probability),
    threshold: percent(prediction.threshold),
  };
  return [
    letterhead(),
    element(
      "div",
      { class: "findings" },
      name(film),
      heading(verdict(prediction)),
      element("p", { class: "because" }, because(prediction, numbers)),
      warnings(prediction),
      element("h3", {}, text("probability")),
      scaleOf(prediction),
    ),
    figureOf(answer),
    element(
      "div",
      { class: "particulars" },
      members(prediction),
      facts(film),
      element("p", { class: "not-a-diagnosis" }, `${text("notice_title")} ${text("notice_text")}`),
      element("p", { class: "actions" }, button(text("print"), () => print(), { class: "button" })),
    ),
  ];
}

/** Only on paper, where the page's own head is missing. */
function letterhead() {
  const title = element("span", { class: "title" }, text("print_title"));
  const notice = `${text("notice_title")} ${text("notice_text")}`;
  return element("p", { class: "letterhead paper" }, title, notice);
}

function because(prediction, numbers) {
  const words = text(`because_${prediction.label}`, numbers);
  return [words, doubtText(prediction)].filter(Boolean).join(" ");
}

function warnings(prediction) {
  const cautions = warningTexts(prediction);
  if (cautions.length === 0) return null;
  return element(
    "div",
    { class: "warnings" },
    element("h3", {}, text("warnings_title")),
    element("ul", {}, ...cautions.map((words) => element("li", {}, words))),
  );
}

function members(prediction) {
  const head = [text("member"), text("probability"), text("member_side")];
  return element(
    "div",
    { class: "members" },
    element(
      "table",
      {},
      element("caption", {}, text("members_caption")),
      element("thead", {}, element("tr", {}, ...head.map((h) => element("th", { scope: "col" }, h)))),
      element("tbody", {}, ...prediction.members.map((m) => memberRow(m, prediction.threshold))),
    ),
    element(
      "p",
      { class: prediction.unanimous ? "agreement" : "agreement divided" },
      text(prediction.unanimous ? "unanimous" : "divided"),
    ),
  );
}

function memberRow(member, threshold) {
  const label = member.probability > threshold ? "PNEUMONIA" : "NORMAL";
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, textOr(`model_${member.model}`, member.model)),
    element("td", {}, percent(member.probability)),
    element("td", {}, text(`short_${label}`)),
  );
}

function facts(film) {
  const { prediction } = film.answer;
  const rows = [
    ["fact_release", String(prediction.release)],
    ["fact_when", moment(film.at)],
    ["fact_seconds", text("seconds", { seconds: decimal(prediction.seconds, 2) })],
  ];
  const pair = ([key, value]) =>
    element("div", {}, element("dt", {}, text(key)), element("dd", {}, value));
  return element("dl", { class: "facts" }, ...rows.map(pair));
}
