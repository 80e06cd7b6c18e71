// Light or dark: the system's choice, until the switch is used. Paper is always light.

import { keep } from "./language.js";

const sheet = document.getElementById("dark");
const toggle = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const asked = new URLSearchParams(location.search).get("theme");
let chosen = { dark: true, light: false }[asked] ?? null;

export function startTheme() {
  toggle.addEventListener("click", () => {
    chosen = !isDark();
    keep("theme", chosen ? "dark" : "light");
    apply();
  });
  system.addEventListener("change", tell);
  apply();
}

function apply() {
  if (chosen !== null) sheet.media = chosen ? "screen" : "not all";
  tell();
}

function isDark() {
  return chosen ?? system.matches;
}

function tell() {
  toggle.setAttribute("aria-pressed", String(isDark()));
}
