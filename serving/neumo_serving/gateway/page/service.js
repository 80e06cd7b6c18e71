// The line that says whether the service is ready, and the form for its access key.

import { status, useToken } from "./api.js";
import { text } from "./language.js";

const line = document.getElementById("service");
const form = document.getElementById("token-form");
const field = document.getElementById("token");
const LOCKED = ["unauthorized", "wrong-key"];
const SIGNED_OUT = ["sign-in", "session"];
let known = null;
let refusal = null;

/** Asks the service; returns its limits, or null where it does not tell. */
export async function askService() {
  refusal = null;
  try {
    known = await status();
  } catch (problem) {
    known = null;
    refusal = problem.type;
    if (LOCKED.includes(refusal)) form.hidden = false;
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
  if (service === null) return refused();
  return service.ready ? text("service_ready", service) : text("service_not_ready");
}

function refused() {
  if (refusal === "wrong-key") return text("problem_wrong-key");
  if (refusal === "unauthorized") return text("service_locked");
  if (refusal === "forbidden") return text("problem_forbidden");
  return text(SIGNED_OUT.includes(refusal) ? "service_signed_out" : "service_unknown");
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
