// How well it runs, in plain words.

import { make, setText } from "./dom.js";

const WINDOW_MS = 2000;

/** How often something happens, over the last two seconds. */
export class Rate {
  constructor() {
    this.times = [];
  }

  note(nowMs) {
    this.times.push(nowMs);
    this.forget(nowMs);
  }

  perSecond(nowMs) {
    this.forget(nowMs);
    return (this.times.length * 1000) / WINDOW_MS;
  }

  forget(nowMs) {
    while (this.times.length && nowMs - this.times[0] > WINDOW_MS) this.times.shift();
  }
}

const NUMBERS = [
  ["pictures", "pictures a second", "Pictures of this camera shown on this page"],
  ["tracks", "tracks a second", "Messages of this camera's tracker"],
  ["delay", "ms picture delay", "From the capture to this screen: measured by the gateway up to the sending, and by this page from there"],
  ["late", "ms tracks delay", "From a picture's capture until its tracks came; where they are too late for their picture, the newest are drawn dim"],
  ["gaps", "lost or untracked", "Messages that were lost on the bus, and pictures that this camera's trackers skipped"],
  ["drops", "skipped for you", "Pictures left out on this page only, because it or its connection was slower than the camera; no tracker or recorder misses them for that"],
];

/** The strip of numbers. */
export class Numbers {
  constructor(list) {
    this.cells = new Map();
    for (const [name, words, explanation] of NUMBERS) {
      const value = make("dd", "", "–");
      value.id = `number-${name}`;
      const cell = make("div", "number", "", make("dt", "", words), value);
      cell.title = explanation;
      list.append(cell);
      this.cells.set(name, { cell, value });
    }
  }

  set(name, value, isWarning = false) {
    const { cell, value: element } = this.cells.get(name);
    setText(element, value);
    cell.classList.toggle("is-warning", isWarning);
  }

  explain(name, words) {
    const { cell } = this.cells.get(name);
    if (cell.title !== words) cell.title = words;
  }
}
