// Who is on the bus, and since when.

import { clockTime, duration, insertByName, make, setText } from "./dom.js";

/** The list of nodes; `put` each state as it comes, `age` now and then. */
export class Nodes {
  constructor(list, count, none) {
    this.list = list;
    this.count = count;
    this.none = none;
    this.rows = new Map();
  }

  put(node) {
    const row = this.rows.get(node.node) ?? this.add(node.node);
    row.node = node;
    row.item.dataset.state = node.state;
    setText(row.role, node.role);
    setText(row.cause, node.cause);
    row.cause.hidden = !node.cause;
    this.fill(row);
    tellAge(row);
  }

  /** The last state of each node. */
  states() {
    return [...this.rows.values()].map((row) => row.node);
  }

  /** The nodes that let everybody in who reaches this machine. */
  unlocked() {
    return this.states().filter((node) => node.details.insecure && node.state !== "stopped").map((node) => node.node);
  }

  /** Renew what depends on the time of day. */
  age() {
    this.rows.forEach(tellAge);
  }

  /** Forget everybody but `names`. */
  retain(names) {
    for (const [name, row] of this.rows) {
      if (names.includes(name)) continue;
      row.item.remove();
      this.rows.delete(name);
    }
    this.tellCount();
  }

  add(name) {
    const role = make("span", "node-role");
    const state = make("span", "node-state");
    const cause = make("span", "node-cause");
    const title = make("span", "node-name", name);
    title.append(role);
    const facts = make("dl", "facts");
    const details = make("details", "", "", make("summary", "", "", make("span", "dot"), title, state, cause), facts);
    const row = { item: make("li", "node", "", details), role, state, cause, facts, details };
    details.addEventListener("toggle", () => this.fill(row));
    this.rows.set(name, row);
    insertByName(this.list, row.item, name);
    this.tellCount();
    return row;
  }

  fill({ details, facts, node }) {
    if (!details.open || !node) return;
    const pairs = [["host", `${node.host} · ${node.pid}`], ...Object.entries(node.counters)];
    const told = pairs.map(([name, value]) => [make("dt", "", name.replaceAll("_", " ")), make("dd", "", String(value))]);
    facts.replaceChildren(...told.flat());
  }

  tellCount() {
    setText(this.count, this.rows.size ? String(this.rows.size) : "");
    this.none.hidden = this.rows.size > 0;
  }
}

function tellAge({ node, state }) {
  setText(state, `${node.state} · ${duration(Date.now() - node.since_us / 1000)}`);
  state.title = `since ${clockTime(node.since_us)}`;
}
