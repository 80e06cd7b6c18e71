// The line that says whether the service is ready, and the form for its access key.

import { status, useToken } from "./api.js";
import { text } from "./language.js";

const line = document.getElementById("service");
const form = document.getElementById("token-form");
const field = document.getElementById("token");
let known = null;

/** Asks the service; returns its limits, or null where it does not tell. */
export async function askService() {
  try {
    known = await status();
  } catch (problem) {
    known = null;
    if (problem.type === "unauthorized") askForToken();
  }
  showService();
  return known?.limits ?? null;
}

/** Writes the line anew, in the present language. */
export function showService() {
  const key = known === null ? "service_unknown" : known.ready ? "service_ready" : "service_not_ready";
  line.textContent = text(key, { release: known?.release });
  line.className = known?.ready ? "service ready" : "service";
}

/** Shows the form for the access key. */
export function askForToken() {
  form.hidden = false;
}

/** Calls `use()` when a key was typed. */
export function onToken(use) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(field.value.trim());
    field.value = "";
    form.hidden = true;
    use();
  });
}
