// The three ways a film comes in: chosen, dropped anywhere on the page, pasted.

import { text } from "./language.js";

const chooser = document.getElementById("chooser");
const zone = document.getElementById("drop");

/** Calls `take(files)` with what came in. */
export function startIntake(take) {
  chooser.addEventListener("change", () => {
    take([...chooser.files]);
    chooser.value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files.map(pasted));
  });
  startDropping(take);
}

/** A pasted picture has no name of its own, only the browser's "image.png". */
function pasted(file) {
  if (file.name !== "image.png") return file;
  return { content: file, pastedName: (number) => text("pasted", { number }) };
}

function startDropping(take) {
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) zone.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) take(files);
  });
}
