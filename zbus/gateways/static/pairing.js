// When a picture is shown: once its tracks are there, so that boxes sit on the animals, but not late.

const WAITING_MAX = 2;
const FIRST_GUESS_MS = 40;
const LONGEST_WAIT_MS = 150;

/** Holds pictures back for their tracks: until these came, or two newer pictures, or two frames' time. */
export class Pairing {
  constructor(tracks) {
    this.tracks = tracks;
    this.waiting = [];
    this.periodMs = FIRST_GUESS_MS;
    this.lastMs = 0;
  }

  add(picture, nowMs) {
    if (this.lastMs) {
      this.periodMs += 0.1 * (Math.min(nowMs - this.lastMs, 1000) - this.periodMs);
    }
    this.lastMs = nowMs;
    this.waiting.push({ ...picture, cameMs: nowMs });
  }

  /** {show, passed}: the newest picture that is ready, if any, and those that it makes out of date. */
  take(nowMs) {
    const index = this.waiting.findLastIndex((picture, at) => this.isReady(picture, at, nowMs));
    if (index < 0) return { show: null, passed: [] };
    const passed = this.waiting.splice(0, index + 1);
    return { show: passed.pop(), passed };
  }

  isReady(picture, at, nowMs) {
    const waitMs = Math.min(WAITING_MAX * this.periodMs, LONGEST_WAIT_MS);
    return (
      !this.tracks.isAlive(nowMs) ||
      // Why: tracks so far behind will not come in time, and each picture held in vain slows the next ones.
      this.tracks.behindUs(picture.header) > (this.periodMs + LONGEST_WAIT_MS) * 1000 ||
      this.tracks.has(picture.header.frame_number) ||
      this.tracks.newest > picture.header.frame_number ||
      this.waiting.length - at > WAITING_MAX ||
      nowMs - picture.cameMs >= waitMs
    );
  }
}
