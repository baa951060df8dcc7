// What arrives on the live socket, read into plain objects.

const HEADER_LENGTH_BYTES = 4;

/** A binary message as {header, jpeg}: the JSON header and the picture as a Blob. */
export function readPicture(buffer) {
  const length = new DataView(buffer).getUint32(0);
  const start = HEADER_LENGTH_BYTES + length;
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, HEADER_LENGTH_BYTES, length)));
  return { header, jpeg: new Blob([new Uint8Array(buffer, start)], { type: "image/jpeg" }) };
}

/** The columns of a tracks message as one object a track. */
export function rowsOf(tracks) {
  return tracks.track_ids.map((trackId, row) => ({
    trackId,
    center: tracks.centroids_px[row],
    box: tracks.boxes_xyxy_px[row],
    score: tracks.scores[row],
    state: tracks.states[row],
  }));
}
