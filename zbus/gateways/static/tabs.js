// The cameras as tabs.

import { insertByName, make, setText } from "./dom.js";

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
    for (const [name, tab] of this.tabs) {
      if (names.includes(name)) continue;
      tab.remove();
      this.tabs.delete(name);
    }
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
    insertByName(this.list, tab, camera);
    this.choose(this.chosen);
    return tab;
  }

  onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !this.tabs.size) return;
    const names = [...this.tabs.keys()].sort();
    const next = names[(names.indexOf(this.chosen) + step + names.length) % names.length];
    this.onChoose(next);
    this.tabs.get(next).focus();
    event.preventDefault();
  }
}
