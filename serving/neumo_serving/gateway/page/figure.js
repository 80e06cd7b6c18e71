// The film with the heat map and the lungs' contour over it, and their controls.

import { element } from "./dom.js";
import { drawLegend } from "./heat.js";
import { percent, text } from "./language.js";

const LONG_SIDE_PX = 768;
const SENT_SIDE_PX = 256;
const THUMB_PX = 96;

/** What the reader chose; it holds for every film. */
const view = { opacity: 0.7, contour: true };

/** The figure of `answer` with its slider; on paper the bare film stands beside it. */
export function figureOf(answer) {
  const canvas = sized(answer, label(answer));
  const plain = sized(answer, text("plain_label"));
  paint(plain, answer, { opacity: 0, contour: false });
  const repaint = () => paint(canvas, answer, view);
  repaint();
  const caption = { width: answer.width, height: answer.height };
  return element(
    "figure",
    { class: "figure" },
    element("div", { class: "screen" }, canvas, element("div", { class: "paper" }, plain)),
    element("div", { class: "controls" }, slider(repaint), contourBox(answer, repaint), legend()),
    element("figcaption", { class: "hint" }, inLungs(answer), text("figure_caption", caption)),
  );
}

/** A small square of the film, for the list. */
export function thumbnail(answer) {
  const canvas = element("canvas", { width: THUMB_PX, height: THUMB_PX, "aria-hidden": "true" });
  canvas.getContext("2d").drawImage(answer.film, 0, 0, THUMB_PX, THUMB_PX);
  return canvas;
}

/** A canvas of the original's proportions, which the 256 x 256 that the models see have lost. */
function sized(answer, name) {
  const scale = LONG_SIDE_PX / Math.max(answer.width, answer.height);
  return element("canvas", {
    width: Math.max(1, Math.round(answer.width * scale)),
    height: Math.max(1, Math.round(answer.height * scale)),
    role: "img",
    "aria-label": name,
  });
}

function paint(canvas, answer, { opacity, contour }) {
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.globalAlpha = 1;
  context.drawImage(answer.film, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = opacity;
  context.drawImage(answer.heat.canvas, 0, 0, canvas.width, canvas.height);
  context.globalAlpha = 1;
  if (contour && answer.contours) outline(context, answer.contours);
}

function outline(context, contours) {
  const { width, height } = context.canvas;
  const path = new Path2D();
  for (const contour of contours) {
    smoothed(contour).forEach(([x, y], i) => {
      const point = [(x * width) / SENT_SIDE_PX, (y * height) / SENT_SIDE_PX];
      if (i === 0) path.moveTo(...point);
      else path.lineTo(...point);
    });
    path.closePath();
  }
  for (const [colour, thickness] of [["rgb(0 0 0 / 60%)", 5], ["#6fe7ff", 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.stroke(path);
  }
}

/** `contour`, which follows pixels' edges, without their stairs: nowhere off by more than about a
 * pixel. Each point is the mean of the middles of five edges that follow each other. */
function smoothed(contour) {
  const middles = contour.flatMap(([x, y], i) => {
    const [nextX, nextY] = contour[(i + 1) % contour.length];
    const steps = Math.abs(nextX - x) + Math.abs(nextY - y);
    const [stepX, stepY] = [Math.sign(nextX - x), Math.sign(nextY - y)];
    return Array.from({ length: steps }, (_, n) => [x + stepX * (n + 0.5), y + stepY * (n + 0.5)]);
  });
  const mean = (i, axis) =>
    [-2, -1, 0, 1, 2].reduce((sum, by) => sum + middles.at((i + by) % middles.length)[axis], 0) / 5;
  return middles.map((_, i) => [mean(i, 0), mean(i, 1)]);
}

function label(answer) {
  if (answer.heat.place === null) return text("figure_cold");
  return text("figure_label", { place: text(`place_${answer.heat.place.join("_")}`) });
}

function slider(repaint) {
  const input = element("input", { type: "range", id: "opacity", min: 0, max: 100, step: 5 });
  const shown = element("output", { for: "opacity" });
  const tell = () => {
    shown.textContent = percent(view.opacity, 0);
    input.setAttribute("aria-valuetext", text("opacity_value", { percent: percent(view.opacity, 0) }));
  };
  input.value = String(Math.round(view.opacity * 100));
  input.addEventListener("input", () => {
    view.opacity = Number(input.value) / 100;
    tell();
    repaint();
  });
  tell();
  return element(
    "div",
    { class: "slider" },
    element("label", { for: "opacity" }, text("opacity")),
    input,
    shown,
  );
}

function contourBox(answer, repaint) {
  if (answer.contours === null) return null;
  const input = element("input", { type: "checkbox", id: "contour" });
  input.checked = view.contour;
  input.addEventListener("change", () => {
    view.contour = input.checked;
    repaint();
  });
  return element("label", { class: "check", for: "contour" }, input, text("contour"));
}

function legend() {
  const ramp = element("canvas", { width: 160, height: 10, "aria-hidden": "true" });
  drawLegend(ramp);
  return element(
    "p",
    { class: "legend" },
    `${text("legend")}: ${text("legend_low")} `,
    ramp,
    ` ${text("legend_high")}`,
  );
}

function inLungs(answer) {
  if (answer.heatInLungs === null || answer.heatInLungs === undefined) return null;
  return element("strong", {}, `${text("heat_in_lungs", { percent: percent(answer.heatInLungs, 0) })} `);
}
