// The heat map as colours, and where its heat lies.

// From no heat to most: every step brighter than the one before, so it survives greyscale.
const RAMP = [
  [0, 0, 20],
  [66, 12, 100],
  [140, 32, 106],
  [207, 62, 74],
  [244, 122, 32],
  [252, 190, 40],
  [252, 255, 170],
];
const GRID = 3;

/** `values` (rows of numbers in [0, 1]) as a canvas, the more opaque the hotter; `place` is the
 * hottest ninth as [row, column], null where all is cold. */
export function layer(values) {
  const [height, width] = [values.length, values[0].length];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  values.flat().forEach((heat, i) => {
    pixels.data.set([...colour(heat), Math.round(255 * heat)], 4 * i);
  });
  context.putImageData(pixels, 0, 0);
  return { canvas, place: hottest(values) };
}

/** The ramp itself, least to most, across `canvas`. */
export function drawLegend(canvas) {
  const context = canvas.getContext("2d");
  for (let x = 0; x < canvas.width; x += 1) {
    context.fillStyle = `rgb(${colour(x / (canvas.width - 1)).join(" ")})`;
    context.fillRect(x, 0, 1, canvas.height);
  }
}

function colour(heat) {
  const at = Math.min(Math.max(heat, 0), 1) * (RAMP.length - 1);
  const step = Math.min(Math.floor(at), RAMP.length - 2);
  return RAMP[step].map((low, c) => Math.round(low + (RAMP[step + 1][c] - low) * (at - step)));
}

function hottest(values) {
  const sums = new Array(GRID * GRID).fill(0);
  values.forEach((row, y) => {
    const band = Math.floor((y * GRID) / values.length) * GRID;
    row.forEach((heat, x) => {
      sums[band + Math.floor((x * GRID) / row.length)] += heat;
    });
  });
  const most = Math.max(...sums);
  if (most === 0) return null;
  const place = sums.indexOf(most);
  return [Math.floor(place / GRID), place % GRID];
}
