// What is told of a prediction, in the same words wherever it is: above, below, or doubtful.

import { percent, text, textOr } from "./language.js";

/** Nearer to the threshold than so many hundredths, the answer could as well be the other one. */
const NEAR = 0.05;

/** Why the answer is doubtful: "divided", "near", or null where it is not. */
export function doubtOf({ unanimous, probability, threshold }) {
  if (!unanimous) return "divided";
  return Math.abs(probability - threshold) < NEAR ? "near" : null;
}

/** The class of whatever shows it. */
export function toneOf(prediction) {
  if (doubtOf(prediction)) return "doubtful";
  return prediction.label === "PNEUMONIA" ? "above" : "below";
}

/** The verdict as a heading. */
export function verdict(prediction) {
  const { label } = prediction;
  return doubtOf(prediction) ? text(`doubtful_${label}`) : text(`verdict_${label}`);
}

/** The verdict in a word or two. */
export function shortVerdict(prediction) {
  const { label } = prediction;
  const words = text(`short_${label}`);
  return doubtOf(prediction) ? text("short_doubtful", { words }) : words;
}

/** That it is near the threshold, in a sentence, or null; a split vote is one of the warnings. */
export function doubtText(prediction) {
  return doubtOf(prediction) === "near" ? text("doubt_near", { points: percent(NEAR, 0) }) : null;
}

/** Each warning's sentence. */
export function warningTexts(prediction) {
  return prediction.warnings.map(({ code, text: words }) => textOr(`warning_${code}`, words));
}
