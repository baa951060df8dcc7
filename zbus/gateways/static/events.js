// What happened lately, newest first.

import { clockTime, make } from "./dom.js";

const EVENTS_MAX = 50;
const FIELDS_MAX = 6;
const FIELD_MAX_CHARS = 60;
// What tells a program more than a person; the whole of it is in the tooltip.
const QUIET_FIELDS = new Set(["session", "old_session", "new_session", "pid", "host", "replaced"]);

export class Events {
  constructor(list, none) {
    this.list = list;
    this.none = none;
  }

  add(event) {
    const name = make("span", "event-name", "", make("b", "", event.event.replaceAll("_", " ")), " ", make("span", "", event.node));
    const time = make("time", "", clockTime(event.published_us));
    const item = make("li", "event", "", time, name, make("span", "event-fields", tellFields(event.fields)));
    item.title = JSON.stringify(event.fields, null, 1);
    this.list.prepend(item);
    while (this.list.children.length > EVENTS_MAX) this.list.lastChild.remove();
    this.none.hidden = true;
  }

  clear() {
    this.list.replaceChildren();
    this.none.hidden = false;
  }
}

function tellFields(fields) {
  const told = Object.entries(fields).filter(([name]) => !QUIET_FIELDS.has(name)).slice(0, FIELDS_MAX);
  return told.map(([name, value]) => `${name.replaceAll("_", " ")} ${tellValue(value)}`).join(" · ");
}

function tellValue(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > FIELD_MAX_CHARS ? `${text.slice(0, FIELD_MAX_CHARS)}…` : text;
}
