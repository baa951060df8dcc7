// Strokes in the picture's own pixels, as wide on the screen whatever the zoom.

const LINE_PX = 2;
const RIM_PX = 1.2;
const RIM_COLOR = "#0b0e12";
const RIM_ALPHA = 0.45;
const FONT_PX = 13;

/** Draws on a 2D context whose unit is a picture pixel; `scale` is how many screen pixels that is. */
export class Pen {
  constructor(context, width, height, scale, ratio) {
    this.context = context;
    this.width = width;
    this.height = height;
    this.unit = ratio / scale;
  }

  style(color, { dashed = false, alpha = 1, cap = "round" } = {}) {
    const { context, unit } = this;
    context.strokeStyle = context.fillStyle = color;
    context.globalAlpha = alpha;
    context.lineWidth = LINE_PX * unit;
    context.lineJoin = "round";
    context.lineCap = cap;
    context.setLineDash(dashed ? [6 * unit, 5 * unit] : []);
  }

  /** Stroke the present path on a dark rim, so that it is seen on bright pictures, too. */
  stroke() {
    const { context, unit } = this;
    const { strokeStyle, globalAlpha, lineWidth } = context;
    context.strokeStyle = RIM_COLOR;
    context.globalAlpha = RIM_ALPHA * globalAlpha;
    context.lineWidth = lineWidth + 2 * RIM_PX * unit;
    context.stroke();
    Object.assign(context, { strokeStyle, globalAlpha, lineWidth });
    context.stroke();
  }

  box([left, top], [right, bottom]) {
    this.context.beginPath();
    this.context.rect(left, top, right - left, bottom - top);
    this.stroke();
  }

  circle([x, y], radius) {
    this.context.beginPath();
    this.context.arc(x, y, radius, 0, 2 * Math.PI);
    this.stroke();
  }

  dot([x, y], radius = 2.5) {
    this.context.beginPath();
    this.context.arc(x, y, radius * this.unit, 0, 2 * Math.PI);
    this.context.fill();
  }

  lines(points, closed = false) {
    this.context.beginPath();
    for (const [x, y] of points) this.context.lineTo(x, y);
    if (closed) this.context.closePath();
    this.stroke();
  }

  /** A word on a plate of `color`, above `[x, y]`, or below `underY` where there is no room above. */
  plate(text, [x, y], color, underY = y) {
    const { context, unit } = this;
    const height = (FONT_PX + 5) * unit;
    this.font(600);
    const width = context.measureText(text).width + 9 * unit;
    const left = Math.max(0, Math.min(x, this.width - width));
    const top = y - height - 2 * unit < 0 ? Math.min(underY + 2 * unit, this.height - height) : y - height - 2 * unit;
    context.setLineDash([]);
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(left, top, width, height, 4 * unit);
    context.fill();
    context.fillStyle = RIM_COLOR;
    context.textBaseline = "middle";
    context.fillText(text, left + 4.5 * unit, top + height / 2 + 0.5 * unit);
  }

  /** Plain words with a dark rim, so that they can be read on any picture. */
  text(text, [x, y], color) {
    const { context, unit } = this;
    this.font(500);
    context.setLineDash([]);
    context.textBaseline = "alphabetic";
    context.lineWidth = 3 * unit;
    context.strokeStyle = `${RIM_COLOR}cc`;
    context.strokeText(text, x, y);
    context.fillStyle = color;
    context.fillText(text, x, y);
  }

  font(weight) {
    this.context.font = `${weight} ${FONT_PX * this.unit}px system-ui, sans-serif`;
  }
}
