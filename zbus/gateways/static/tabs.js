// The cameras as tabs.

import { make, setText } from "./dom.js";

export class Tabs {
  /** `onChoose(camera)` is called when a person chooses another one. */
  constructor(list, onChoose) {
    this.list = list;
    this.onChoose = onChoose;
    this.tabs = new Map();
    this.chosen = "";
    list.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Add a camera or renew its state. */
  put(camera, state) {
    const tab = this.tabs.get(camera) ?? this.add(camera);
    tab.dataset.state = state;
    setText(tab.lastChild, state === "running" ? "" : state);
  }

  /** Forget all cameras but `names`. */
  retain(names) {
    for (const name of this.tabs.keys()) {
      if (!names.includes(name)) this.tabs.delete(name);
    }
    this.list.replaceChildren(...this.tabs.values());
  }

  choose(camera) {
    this.chosen = camera;
    for (const [name, tab] of this.tabs) {
      tab.setAttribute("aria-selected", String(name === camera));
      tab.tabIndex = name === camera ? 0 : -1;
    }
  }

  add(camera) {
    const tab = make("button", "tab", "", make("span", "dot"), make("span", "", camera), make("span", "tab-state"));
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", "stage");
    tab.addEventListener("click", () => this.onChoose(camera));
    this.tabs.set(camera, tab);
    const sorted = [...this.tabs.keys()].sort();
    this.tabs = new Map(sorted.map((name) => [name, this.tabs.get(name)]));
    this.list.replaceChildren(...this.tabs.values());
    this.choose(this.chosen);
    return tab;
  }

  onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !this.tabs.size) return;
    const names = [...this.tabs.keys()];
    const next = names[(names.indexOf(this.chosen) + step + names.length) % names.length];
    this.onChoose(next);
    this.tabs.get(next).focus();
    event.preventDefault();
  }
}
