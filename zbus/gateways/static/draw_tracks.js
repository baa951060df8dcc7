// Tracks on the picture: where each animal is, who it is, where it was.

import { colorOf } from "./colors.js";

const TRAIL_STEPS = 8;
const LOST_ALPHA = 0.5;
const LATE_ALPHA = 0.5;

/** Boxes and ids of `rows`, as far as `show` wants them; dim where they are late. */
export function drawTracks(pen, rows, show, isLate) {
  for (const row of rows) {
    const lost = row.state === "lost";
    const color = colorOf(row.trackId);
    const [left, top, right, bottom] = row.box;
    pen.style(color, { dashed: lost, alpha: (lost ? LOST_ALPHA : 1) * dimming(isLate) });
    if (show.boxes) pen.box([left, top], [right, bottom]);
    else pen.dot(row.center);
    if (show.ids) pen.plate(String(row.trackId), [left, top], color, bottom);
  }
}

/** The trails of all tracks, fading with their age; dim where they are late. */
export function drawTrails(pen, trails, isLate) {
  for (const [trackId, runs] of trails) {
    for (const run of runs) drawRun(pen, run.points, colorOf(trackId), 0.8 * dimming(isLate));
  }
}

function dimming(isLate) {
  return isLate ? LATE_ALPHA : 1;
}

function drawRun(pen, points, color, alpha) {
  // Why: a stroke of its own for every step of every animal would cost more than the picture.
  const length = Math.max(1, Math.ceil(points.length / TRAIL_STEPS));
  for (let start = 0; start < points.length - 1; start += length) {
    const part = points.slice(start, start + length + 1);
    pen.style(color, { alpha: alpha * (1 - part[0].age), cap: "butt" });
    pen.lines(part.map((point) => [point.x, point.y]));
  }
}
