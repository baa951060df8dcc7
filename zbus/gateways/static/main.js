// The page: what comes in from the gateway, and where it is shown.

import { byId, duration, setText } from "./dom.js";
import { Events } from "./events.js";
import { Live } from "./live.js";
import { missedByTrackers, tellMissing } from "./missing.js";
import { Nodes } from "./nodes.js";
import { Numbers } from "./numbers.js";
import { Stage } from "./stage.js";
import { Tabs } from "./tabs.js";
import { Toggles } from "./toggles.js";
import { Watching } from "./watching.js";

const FIGURES_PERIOD_MS = 500;
const STALE_MS = 2000;
const LATE_MS = 250;
const LINK_WORDS = { connecting: "connecting", live: "live", lost: "not connected" };

const tabs = new Tabs(byId("cameras"), choose);
const nodes = new Nodes(byId("nodes"), byId("nodes-count"), byId("nodes-none"));
const events = new Events(byId("events"), byId("events-none"));
const numbers = new Numbers(byId("numbers"));
const stage = new Stage(byId("stage"), byId("canvas"), (pen) => watching.draw(pen, toggles.show));
const toggles = new Toggles(byId("toggles"), () => stage.refresh());
const watching = new Watching(stage, (frameNumber) => live.shown(frameNumber));
const live = new Live({
  link: showLink,
  hello: begin,
  state: putNode,
  event: (event) => events.add(event),
  picture: (picture) => watching.addPicture(picture),
  tracks: (tracks) => watching.addTracks(tracks),
  overlay: (overlay) => watching.addOverlay(overlay),
});

function choose(camera) {
  if (camera === tabs.chosen) return;
  tabs.choose(camera);
  // Why: a picture that still waits for its tracks would be shown as the other camera's.
  watching.reset();
  stage.show(null);
  history.replaceState(null, "", `#${encodeURIComponent(camera)}`);
  byId("save").href = `/v1/cameras/${encodeURIComponent(camera)}/snapshot.jpg`;
  live.watch(camera);
}

function begin(hello) {
  watching.reset();
  nodes.retain(hello.nodes);
  tellUnlocked();
  tabs.retain(hello.nodes);
  events.clear();
  document.title = hello.camera ? `${hello.camera} · ${hello.title}` : hello.title;
  setText(byId("title"), hello.title);
  byId("exposed").hidden = !hello.exposed;
}

function putNode(node) {
  nodes.put(node);
  tellUnlocked();
  if (node.role !== "camera") return;
  tabs.put(node.node, node.state);
  if (!tabs.chosen) choose(node.node);
}

function tellUnlocked() {
  const unlocked = nodes.unlocked();
  const told = `Nothing is locked at ${unlocked.join(", ")}: whoever reaches this machine may read, write and stop what is here. Make keys: zbus keys new.`;
  byId("insecure").hidden = !unlocked.length;
  setText(byId("insecure"), unlocked.length ? told : "");
}

function showLink(state, waitMs, reason) {
  byId("link").dataset.link = document.body.dataset.link = state;
  setText(byId("link-text"), LINK_WORDS[state]);
  if (state === "live") byId("banner").hidden = true;
  if (state !== "lost") return;
  byId("banner").hidden = false;
  const cause = reason || "Connection lost";
  setText(byId("banner"), `${cause}, trying again in ${Math.max(1, Math.round(waitMs / 1000))} s.`);
}

function tellFigures() {
  const nowMs = performance.now();
  const { rates, delayMs, lost, skipped } = watching;
  const isFresh = nowMs - watching.shownMs < STALE_MS;
  const missing = tellMissing(lost.pictures + lost.tracks, missedByTrackers(nodes.states(), tabs.chosen));
  numbers.set("pictures", isFresh ? rates.pictures.perSecond(nowMs).toFixed(0) : "0");
  numbers.set("tracks", rates.tracks.perSecond(nowMs).toFixed(0));
  numbers.set("delay", isFresh ? delayMs.toFixed(0) : "–", isFresh && delayMs > LATE_MS);
  const tracksDelayMs = watching.tracks.delayMs(nowMs);
  numbers.set("late", tracksDelayMs === null ? "–" : tracksDelayMs.toFixed(0), watching.tracksAreLate);
  numbers.set("gaps", String(missing.total), missing.total > 0);
  numbers.explain("gaps", missing.words);
  numbers.set("drops", String(skipped));
  tellPicture(isFresh, nowMs - watching.shownMs);
  nodes.age();
}

function tellPicture(isFresh, silentMs) {
  const hasPicture = stage.picture !== null;
  byId("placeholder").hidden = hasPicture;
  setText(byId("placeholder-text"), tabs.chosen ? "no picture yet" : "looking for cameras");
  const isStale = hasPicture && !isFresh;
  byId("stage").classList.toggle("is-stale", isStale);
  byId("stale").hidden = !isStale;
  const since = Number.isFinite(silentMs) ? ` for ${duration(silentMs)}` : "";
  setText(byId("stale"), `no new picture${since}`);
  byId("save").hidden = !tabs.chosen;
}

const asked = decodeURIComponent(location.hash.slice(1));
if (asked) choose(asked);
else live.watch("");
setInterval(tellFigures, FIGURES_PERIOD_MS);
tellFigures();
