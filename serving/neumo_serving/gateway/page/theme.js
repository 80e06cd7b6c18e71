// Light or dark: the system's choice, until the switch is used. Paper is always light.

const sheet = document.getElementById("dark");
const toggle = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;

export function startTheme() {
  toggle.addEventListener("click", () => {
    chosen = !isDark();
    sheet.media = chosen ? "screen" : "not all";
    tell();
  });
  system.addEventListener("change", tell);
  tell();
}

function isDark() {
  return chosen ?? system.matches;
}

function tell() {
  toggle.setAttribute("aria-pressed", String(isDark()));
}
