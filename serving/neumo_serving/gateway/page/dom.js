// Elements made in one expression. Text is only ever set as text, never as markup.

/** A `tag` with `attributes`; a child is an element, a string, or null for nothing. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
}

/** A button that does `action`. */
export function button(text, action, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

/** Reads `text` to whoever uses a screen reader, after what is being read now. */
export function announce(text) {
  const line = document.getElementById("announcer");
  line.append(element("span", {}, `${text} `));
  while (line.childElementCount > 5) line.firstElementChild.remove();
}
