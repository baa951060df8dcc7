// Overlays on the picture, by their verbs.

const DRAWERS = {
  DRAW_BOX(pen, form) {
    pen.box(form.TOP_LEFT, form.BOTTOM_RIGHT);
    return corner([form.TOP_LEFT, form.BOTTOM_RIGHT]);
  },
  DRAW_CIRCLE(pen, form) {
    pen.circle(form.CENTER, form.RADIUS);
    return [form.CENTER[0] - form.RADIUS, form.CENTER[1] - form.RADIUS];
  },
  DRAW_LINE(pen, form) {
    pen.lines([form.FROM, form.TO]);
    return form.FROM;
  },
  DRAW_POLYGON(pen, form) {
    pen.lines(form.POINTS, true);
    return corner(form.POINTS);
  },
  DRAW_TEXT(pen, form, color) {
    pen.text(form.TEXT, form.AT, color);
    return form.AT;
  },
};

/** Draw shapes, oldest first. A verb that this page does not know has no look. */
export function drawOverlays(pen, shapes) {
  for (const shape of shapes) {
    const verb = Object.keys(DRAWERS).find((name) => name in shape);
    if (!verb) continue;
    const color = `rgb(${shape.color.join(" ")})`;
    pen.style(color);
    const at = DRAWERS[verb](pen, shape[verb], color);
    if (shape.label) pen.text(shape.label, [at[0], at[1] - 5 * pen.unit], color);
  }
}

function corner(points) {
  return [Math.min(...points.map((point) => point[0])), Math.min(...points.map((point) => point[1]))];
}
