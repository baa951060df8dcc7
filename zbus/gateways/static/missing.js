// What never came to the page or to a tracker: counted by those who missed it.

/** What all trackers of a camera missed, by the counters in their states: {lost, skipped}. */
export function missedByTrackers(nodes, camera) {
  const trackers = nodes.filter((node) => node.role === "tracker" && node.details.camera === camera);
  const sum = (count) => trackers.reduce((total, { counters }) => total + count(counters), 0);
  return {
    // Why the larger one: `gaps` are the places where `lost` messages are missing, the same ones.
    lost: sum(({ lost, gaps }) => Math.max(Number(lost) || 0, Number(gaps) || 0)),
    skipped: sum(({ frames_skipped }) => Number(frames_skipped) || 0),
  };
}

/** The sum, and each part of it in plain words. */
export function tellMissing(here, trackers) {
  const words = [
    `${here} messages were lost on the bus on their way to this page's gateway.`,
    `${trackers.lost} were lost on their way to this camera's trackers.`,
    `${trackers.skipped} pictures were skipped by these trackers for newer ones.`,
    "All are counted since the gateway and each tracker started.",
  ];
  return { total: here + trackers.lost + trackers.skipped, words: words.join("\n") };
}
