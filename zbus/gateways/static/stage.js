// The canvas: as large as fits, in the picture's own proportions, at the screen's own pixels.

import { Pen } from "./pen.js";

export class Stage {
  /** `draw(pen)` is called after the picture was drawn. */
  constructor(box, canvas, draw) {
    this.box = box;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.draw = draw;
    this.picture = null;
    this.isDirty = false;
    new ResizeObserver(() => this.refresh()).observe(box);
  }

  /** Show a decoded picture (an ImageBitmap); null shows none. */
  show(picture) {
    this.picture?.close();
    this.picture = picture;
    this.canvas.hidden = !picture;
    this.refresh();
  }

  /** Draw again with the screen's next frame. */
  refresh() {
    if (this.isDirty) return;
    this.isDirty = true;
    requestAnimationFrame(() => {
      this.isDirty = false;
      if (this.picture) this.paint();
    });
  }

  paint() {
    const { width, height } = this.picture;
    const { scale, ratio } = this.fit(width, height);
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.drawImage(this.picture, 0, 0);
    this.context.save();
    this.draw(new Pen(this.context, width, height, scale, ratio));
    this.context.restore();
  }

  /** Size the canvas; returns how many device pixels a picture pixel and a CSS pixel are. */
  fit(width, height) {
    const ratio = window.devicePixelRatio || 1;
    const zoom = Math.min(this.box.clientWidth / width, this.box.clientHeight / height);
    const deviceWidth = Math.max(1, Math.round(width * zoom * ratio));
    const deviceHeight = Math.max(1, Math.round(height * zoom * ratio));
    if (this.canvas.width !== deviceWidth || this.canvas.height !== deviceHeight) {
      this.canvas.width = deviceWidth;
      this.canvas.height = deviceHeight;
      this.canvas.style.width = `${deviceWidth / ratio}px`;
      this.canvas.style.height = `${deviceHeight / ratio}px`;
    }
    return { scale: deviceWidth / width, ratio };
  }
}
