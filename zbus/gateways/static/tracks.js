// The tracks of one camera: found again by frame number, and remembered as trails.

import { rowsOf } from "./message.js";

const MESSAGES_MAX = 400;
const TRAIL_US = 2_000_000;
const TRAIL_BREAK_US = 400_000;
const TRACKER_SILENT_MS = 1000;
const LATE_US = 150_000;
const LATEST_US = 10_000_000;

/** Keeps the last messages of the tracker that is followed, in order of their frames. */
export class Tracks {
  constructor() {
    this.messages = [];
    this.source = "";
    this.heardMs = -Infinity;
    this.areLate = false;
  }

  /** Take a message in; another tracker's only once the one followed is silent. False where it is not kept. */
  add(message, nowMs) {
    if (message.source !== this.source && nowMs - this.heardMs < TRACKER_SILENT_MS) return false;
    // Why: a frame number that goes back is a camera that started anew.
    if (message.source !== this.source || message.frame_number < this.newest) this.messages = [];
    if (message.frame_number === this.newest) this.messages.pop();
    this.source = message.source;
    this.heardMs = nowMs;
    this.messages.push({ ...message, rows: rowsOf(message) });
    if (this.messages.length > MESSAGES_MAX) this.messages.shift();
    return true;
  }

  get newest() {
    return this.last?.frame_number ?? -1;
  }

  get last() {
    return this.messages.at(-1);
  }

  /** True while a tracker is heard. */
  isAlive(nowMs) {
    return nowMs - this.heardMs < TRACKER_SILENT_MS;
  }

  has(frameNumber) {
    return this.messages.some((message) => message.frame_number === frameNumber);
  }

  /** How much older than a picture the newest tracks are. */
  behindUs(header) {
    return this.last ? header.captured_us - this.last.captured_us : 0;
  }

  /** Whose tracks are drawn on a picture: its own; while tracks are late, those of the newest frame that has any. */
  momentOf(header) {
    const behindUs = this.behindUs(header);
    // Why not by each picture alone: what is a little late now and a little early then would flicker.
    if (this.newest >= header.frame_number) this.areLate = false;
    else if (behindUs > LATE_US) this.areLate = true;
    const isLate = this.areLate && behindUs < LATEST_US;
    return { moment: isLate ? this.last : header, isLate };
  }

  /** How old the newest tracks were when they came, or are now while they are late; null where there are none of late. */
  delayMs(nowMs) {
    const delayMs = this.last ? this.last.age_ms + (this.areLate ? nowMs - this.heardMs : 0) : Infinity;
    return delayMs * 1000 < LATEST_US ? delayMs : null;
  }

  /** The tracks of a frame, or the last before it that are not older than a second. */
  at(header) {
    const before = this.messages.findLast((message) => message.frame_number <= header.frame_number);
    const isRecent = before && header.captured_us - before.captured_us < 1_000_000;
    return isRecent ? before.rows : [];
  }

  /** Where each track was in the two seconds before a frame: a list of unbroken runs of {x, y, age} a track. */
  trails(header) {
    const runs = new Map();
    for (const message of this.messages) {
      const ageUs = header.captured_us - message.captured_us;
      if (message.frame_number > header.frame_number || ageUs > TRAIL_US) continue;
      for (const row of message.rows) {
        if (row.state !== "lost") extend(runs, row, message.captured_us, ageUs / TRAIL_US);
      }
    }
    return runs;
  }
}

function extend(runs, row, capturedUs, age) {
  const ofTrack = runs.get(row.trackId) ?? [];
  runs.set(row.trackId, ofTrack);
  let run = ofTrack.at(-1);
  if (!run || capturedUs - run.endUs > TRAIL_BREAK_US) {
    run = { points: [], endUs: capturedUs };
    ofTrack.push(run);
  }
  run.points.push({ x: row.center[0], y: row.center[1], age });
  run.endUs = capturedUs;
}
