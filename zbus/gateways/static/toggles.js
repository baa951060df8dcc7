// What is drawn over the picture, by button or by key.

import { make } from "./dom.js";

const TOGGLES = [
  ["boxes", "Boxes", "b"],
  ["ids", "Ids", "i"],
  ["trails", "Trails", "t"],
  ["overlays", "Overlays", "o"],
];

/** `show` says what is drawn; `onChange` is called when it changes. */
export class Toggles {
  constructor(box, onChange) {
    this.show = Object.fromEntries(TOGGLES.map(([name]) => [name, true]));
    this.onChange = onChange;
    this.buttons = new Map();
    for (const [name, label, key] of TOGGLES) box.append(this.button(name, label, key));
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  flip(name) {
    this.show[name] = !this.show[name];
    this.buttons.get(name).setAttribute("aria-pressed", String(this.show[name]));
    this.onChange();
  }

  button(name, label, key) {
    const button = make("button", "toggle", label, make("kbd", "", key));
    button.id = `toggle-${name}`;
    button.setAttribute("aria-pressed", "true");
    button.setAttribute("aria-keyshortcuts", key);
    button.addEventListener("click", () => this.flip(name));
    this.buttons.set(name, button);
    return button;
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const toggle = TOGGLES.find(([, , key]) => key === event.key.toLowerCase());
    if (toggle) this.flip(toggle[0]);
  }
}
