// Elements made of plain text only: a camera may be called <img onerror=...>.

/** An element with class, text and children; never any markup. */
export function make(tag, className = "", text = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== "") element.textContent = text;
  element.append(...children);
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Put an element into a list of others, in the order of their names; nothing else is moved, nor loses focus. */
export function insertByName(list, element, name) {
  element.dataset.name = name;
  list.insertBefore(element, [...list.children].find((other) => other.dataset.name > name) ?? null);
}

/** Set text only where it changed, so that a selection in it survives. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A time of day, from microseconds of UTC. */
export function clockTime(us) {
  return new Date(us / 1000).toLocaleTimeString([], { hour12: false });
}

/** How long something lasts, in the two words that matter. */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d`;
}
