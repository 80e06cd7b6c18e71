// The probability on a scale from 0 to 1, with the threshold and each member marked.

import { element } from "./dom.js";
import { percent, text } from "./language.js";

export function scaleOf(prediction) {
  const { probability, threshold, members } = prediction;
  const numbers = { probability: percent(probability), threshold: percent(threshold) };
  const scale = element(
    "div",
    { class: "scale", role: "img", "aria-label": text("scale_label", numbers) },
    element("span", { class: "value" }, numbers.probability),
    element(
      "div",
      { class: "track" },
      ...members.map((member) => at(element("span", { class: "dot" }), member.probability)),
      element("span", { class: "limit" }),
      element("span", { class: "pointer" }),
    ),
    element("span", { class: "end" }, percent(0, 0)),
    element("span", { class: "limit-label" }, `${text("threshold")} ${numbers.threshold}`),
    element("span", { class: "end" }, percent(1, 0)),
    element("span", { class: "marks" }, text("scale_marks")),
  );
  scale.style.setProperty("--probability", `${100 * probability}%`);
  scale.style.setProperty("--threshold", `${100 * threshold}%`);
  return scale;
}

function at(mark, fraction) {
  mark.style.setProperty("--at", `${100 * fraction}%`);
  return mark;
}
