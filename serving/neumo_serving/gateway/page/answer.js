// What the page keeps of an explanation: the prediction, and layers that a canvas can draw.

import { layer } from "./heat.js";

/** Reads the JSON of `POST /v1/explanations`. */
export async function read(explanation) {
  const { prediction, heatmap, lungs, film } = explanation;
  return {
    prediction,
    heat: layer(heatmap.values),
    contours: lungs?.contours ?? null,
    heatInLungs: explanation.heat_in_lungs,
    film: await decoded(film.png),
    width: film.width_px,
    height: film.height_px,
  };
}

async function decoded(png) {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  return image;
}
