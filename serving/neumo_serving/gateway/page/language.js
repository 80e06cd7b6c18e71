// The page's texts, from es.json and en.json; numbers and dates as the browser's region writes them.

let languages = ["es", "en"];
const texts = {};
const listeners = [];
let current = languages[0];
let region = current;

/** The text of `key` with its {places} filled in. */
export function text(key, values = {}) {
  return texts[current][key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** The text of `key`, or `otherwise` where there is none. */
export function textOr(key, otherwise) {
  return key in texts[current] ? text(key) : otherwise;
}

export function percent(fraction, digits = 1) {
  const form = { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(region, form).format(fraction);
}

export function decimal(number, digits) {
  return new Intl.NumberFormat(region, { maximumFractionDigits: digits }).format(number);
}

export function moment(date) {
  return new Intl.DateTimeFormat(region, { dateStyle: "medium", timeStyle: "short" }).format(date);
}

/** Calls `listener` after each change of the language. */
export function onLanguage(listener) {
  listeners.push(listener);
}

/** Loads both languages and starts in the address's (?lang=en), else in the browser's.
 * False where neither can be loaded. */
export async function startLanguage() {
  await Promise.allSettled(languages.map(load));
  // One that is missing is no reason to show nothing.
  languages = languages.filter((language) => language in texts);
  if (languages.length === 0) return false;
  for (const choice of document.querySelectorAll("[data-language]")) {
    choice.addEventListener("click", () => choose(choice.dataset.language));
  }
  const asked = new URLSearchParams(location.search).get("lang");
  show(preferred([asked, ...navigator.languages]));
  return true;
}

async function load(language) {
  const answer = await fetch(`page/${language}.json`);
  if (answer.ok) texts[language] = await answer.json();
}

function preferred(tags) {
  const known = tags.map((tag) => String(tag).slice(0, 2).toLowerCase());
  return known.find((tag) => languages.includes(tag)) ?? languages.at(-1);
}

/** Keeps a choice in the address, so that a bookmark or a reload has it: nothing is stored. */
export function keep(name, value) {
  const address = new URL(location.href);
  address.searchParams.set(name, value);
  history.replaceState(null, "", address.search);
}

function choose(language) {
  if (!languages.includes(language)) return;
  keep("lang", language);
  show(language);
}

function show(language) {
  current = language;
  region = navigator.languages.find((tag) => tag.startsWith(language)) ?? language;
  document.documentElement.lang = language;
  document.title = `neumo: ${text("heading")}`;
  for (const one of document.querySelectorAll("[data-text]")) {
    one.textContent = text(one.dataset.text);
  }
  for (const one of document.querySelectorAll("[data-label]")) {
    one.setAttribute("aria-label", text(one.dataset.label));
  }
  for (const one of document.querySelectorAll("[data-language]")) {
    one.setAttribute("aria-pressed", String(one.dataset.language === language));
  }
  for (const listener of listeners) listener();
}
