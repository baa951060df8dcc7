// One camera as it is watched: its pictures, tracks, overlays and figures, from socket to canvas.

import { drawOverlays } from "./draw_overlays.js";
import { drawTracks, drawTrails } from "./draw_tracks.js";
import { Rate } from "./numbers.js";
import { Overlays } from "./overlays.js";
import { Pairing } from "./pairing.js";
import { Tracks } from "./tracks.js";

const RETRY_MS = 8;

export class Watching {
  /** `onShown(frameNumber)` is called for every picture that is done with. */
  constructor(stage, onShown) {
    this.stage = stage;
    this.onShown = onShown;
    this.isShowing = false;
    this.timer = 0;
    this.overlayTimer = 0;
    this.reset();
  }

  /** Begin anew, with another camera or another connection. */
  reset() {
    this.tracks = new Tracks();
    this.pairing = new Pairing(this.tracks);
    this.overlays = new Overlays();
    this.rates = { pictures: new Rate(), tracks: new Rate() };
    this.header = null;
    this.shownMs = -Infinity;
    this.delayMs = null;
    this.tracksAreLate = false;
    this.lost = { pictures: 0, tracks: 0 };
    this.skipped = 0;
  }

  addPicture(picture) {
    this.pairing.add(picture, performance.now());
    this.lost.pictures = picture.header.lost;
    this.skipped = picture.header.skipped;
    this.next();
  }

  addTracks(message) {
    const nowMs = performance.now();
    if (!this.tracks.add(message, nowMs)) return;
    this.rates.tracks.note(nowMs);
    this.lost.tracks = message.lost;
    if (message.frame_number === this.header?.frame_number) this.stage.refresh();
    this.next();
  }

  addOverlay(message) {
    this.overlays.replace(message, performance.now());
    this.refreshOverlays();
  }

  /** Draw with the overlays of now, and again when the first of them ends. */
  refreshOverlays() {
    this.stage.refresh();
    clearTimeout(this.overlayTimer);
    const waitMs = this.overlays.nextEndMs(performance.now());
    if (Number.isFinite(waitMs)) this.overlayTimer = setTimeout(() => this.refreshOverlays(), Math.max(1, waitMs));
  }

  /** Show the next picture that is ready; look again soon while one waits. */
  next() {
    clearTimeout(this.timer);
    if (this.isShowing) return;
    const { show, passed } = this.pairing.take(performance.now());
    for (const picture of passed) this.onShown(picture.header.frame_number);
    if (show) void this.show(show);
    else if (this.pairing.waiting.length) this.timer = setTimeout(() => this.next(), RETRY_MS);
  }

  async show({ header, jpeg, cameMs }) {
    const { pairing } = this;
    this.isShowing = true;
    const picture = await createImageBitmap(jpeg).catch(() => null);
    this.isShowing = false;
    // Why: meanwhile a person may have chosen another camera.
    if (pairing !== this.pairing) {
      picture?.close();
    } else if (picture) {
      this.header = header;
      this.shownMs = performance.now();
      this.delayMs = header.age_ms + this.shownMs - cameMs;
      this.rates.pictures.note(this.shownMs);
      this.stage.show(picture);
    }
    this.onShown(header.frame_number);
    this.next();
  }

  /** Everything that is drawn over the picture. */
  draw(pen, show) {
    if (!this.header) return;
    const { moment, isLate } = this.tracks.momentOf(this.header);
    this.tracksAreLate = isLate;
    if (show.trails) drawTrails(pen, this.tracks.trails(moment), isLate);
    if (show.boxes || show.ids) drawTracks(pen, this.tracks.at(moment), show, isLate);
    if (show.overlays) drawOverlays(pen, this.overlays.alive(performance.now()));
  }
}
