// What happened lately, newest first.

import { clockTime, make } from "./dom.js";

const EVENTS_MAX = 50;
const FIELDS_MAX = 6;
const FIELD_MAX_CHARS = 60;

export class Events {
  constructor(list, none) {
    this.list = list;
    this.none = none;
  }

  add(event) {
    const name = make("span", "event-name", "", make("b", "", event.event.replaceAll("_", " ")), " ", make("span", "", event.node));
    const time = make("time", "", clockTime(event.published_us));
    this.list.prepend(make("li", "event", "", time, name, make("span", "event-fields", tellFields(event.fields))));
    while (this.list.children.length > EVENTS_MAX) this.list.lastChild.remove();
    this.none.hidden = true;
  }

  clear() {
    this.list.replaceChildren();
    this.none.hidden = false;
  }
}

function tellFields(fields) {
  const told = Object.entries(fields).slice(0, FIELDS_MAX);
  return told.map(([name, value]) => `${name.replaceAll("_", " ")} ${tellValue(value)}`).join(" · ");
}

function tellValue(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > FIELD_MAX_CHARS ? `${text.slice(0, FIELD_MAX_CHARS)}…` : text;
}
