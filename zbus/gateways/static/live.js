// The connection to the gateway: opened, read, and opened again when it is lost.

import { readPicture } from "./message.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const FULL_HOUSE = 1013;

/**
 * Calls `on.picture({header, jpeg})`, `on.<type>(message)` for text messages, and
 * `on.link(state, waitMs, reason)` with "connecting", "live" or "lost".
 */
export class Live {
  constructor(on) {
    this.on = on;
    this.camera = "";
    this.socket = null;
    this.timer = 0;
    this.waitMs = FIRST_WAIT_MS;
  }

  /** Watch a camera from now on, "" for none. */
  watch(camera) {
    this.camera = camera;
    this.waitMs = FIRST_WAIT_MS;
    this.open();
  }

  /** Tell the gateway that a picture was shown, so that it sends the next but one. */
  shown(frameNumber) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify({ shown: frameNumber }));
    }
  }

  open() {
    clearTimeout(this.timer);
    this.drop();
    this.on.link("connecting");
    const query = this.camera ? `?camera=${encodeURIComponent(this.camera)}` : "";
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/v1/live${query}`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (message) => this.receive(message.data);
    socket.onclose = (closed) => this.lost(closed);
    this.socket = socket;
  }

  drop() {
    if (!this.socket) return;
    // Why: what an old socket still has to say belongs to another camera.
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  receive(data) {
    if (typeof data !== "string") {
      this.on.picture(readPicture(data));
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "hello") {
      this.waitMs = FIRST_WAIT_MS;
      this.on.link("live");
    }
    this.on[message.type]?.(message);
  }

  lost(closed) {
    this.socket = null;
    const spreadMs = this.waitMs * (0.8 + 0.4 * Math.random());
    this.on.link("lost", spreadMs, closed.code === FULL_HOUSE ? closed.reason : "");
    this.timer = setTimeout(() => this.open(), spreadMs);
    this.waitMs = Math.min(LONGEST_WAIT_MS, this.waitMs * 2);
  }
}
