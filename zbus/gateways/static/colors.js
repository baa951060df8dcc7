// One color a track, the same for as long as the page lives and in every other page.

const GOLDEN_ANGLE = 137.508;

/** A bright color, far from those of the neighboring ids. */
export function colorOf(trackId, alpha = 1) {
  const hue = (((trackId * GOLDEN_ANGLE) % 360) + 360) % 360;
  return `hsl(${hue.toFixed(1)} 88% 64% / ${alpha})`;
}
