// The drawings that others push: kept for as long as they live.

/** The live set of one camera; each message replaces it. */
export class Overlays {
  constructor() {
    this.shapes = [];
  }

  replace(message, nowMs) {
    this.shapes = message.shapes.map((shape) => ({ shape, endsMs: nowMs + shape.lifetime_s * 1000 }));
  }

  /** The shapes alive now, oldest first. */
  alive(nowMs) {
    this.shapes = this.shapes.filter((each) => each.endsMs > nowMs);
    return this.shapes.map((each) => each.shape);
  }

  /** How long until the next shape ends; Infinity where none is alive. */
  nextEndMs(nowMs) {
    return Math.min(Infinity, ...this.shapes.map((each) => each.endsMs - nowMs));
  }
}
