// The line that says whether the service is ready, and the form for its access key.

import { status, useToken } from "./api.js";
import { text } from "./language.js";

const line = document.getElementById("service");
const form = document.getElementById("token-form");
const field = document.getElementById("token");
let known = null;
let locked = false;

/** Asks the service; returns its limits, or null where it does not tell. */
export async function askService() {
  locked = false;
  try {
    known = await status();
  } catch (problem) {
    known = null;
    locked = problem.type === "unauthorized";
    if (locked) askForToken();
  }
  showService();
  return known?.limits ?? null;
}

/** Writes the line anew, in the present language; unchanged, it is not read aloud again. */
export function showService() {
  const words = wordsOf(known);
  if (line.textContent !== words) line.textContent = words;
  line.className = known?.ready ? "service ready" : "service";
}

function wordsOf(service) {
  if (service === null) return locked ? text("service_locked") : text("service_unknown");
  return service.ready ? text("service_ready", service) : text("service_not_ready");
}

function askForToken() {
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
