// Draw a light curve as SVG.

const curveSize = { width: 430, height: 280, left: 52, top: 10, bottom: 40 };
// The axis of absolute magnitudes is on the right.
const rightMargin = (curve, shown) => (curve.modulus === null || shown.flux ? 8 : 58);
// Smallest range of the magnitude axis.
const leastMagnitudes = 2;

const marker = (point, x, y) => {
  const kind = `${point.forced ? "forced" : point.isLimit ? "limit" : "detection"} ` +
    `band-${point.band}${point.below ? " below" : ""}${point.seen ? "" : " lighter"}`;
  const path = (d) => svgElement("path", { class: kind, d });
  const [left, top] = [x - 3, y - 3].map((value) => value.toFixed(1));
  if (point.isLimit) return path(point.forced ? `M${left} ${y}h6` : `M${left} ${y - 2}h6l-3 5z`);
  if (point.forced) return path(`M${left} ${top}l6 6m0 -6l-6 6`);
  if (point.band === "g") return svgElement("circle", { class: kind, cx: x, cy: y, r: 3.4 });
  if (point.band === "r") {
    return svgElement("rect", { class: kind, x: left, y: top, width: 6, height: 6 });
  }
  return path(`M${x} ${(y - 4.2).toFixed(1)}l4.2 4.2l-4.2 4.2l-4.2-4.2z`);
};

const margins = (values, share, least) => {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = Math.max(share * (high - low), 0.5 * (least - (high - low)));
  return [low - margin, high + margin];
};

// The first and last day that are drawn: a range of the reader, the last month, or everything.
const daysShown = (curve, view, points) => {
  if (view.from !== null) return [view.from, view.to];
  const recent = view.all ? points : points.filter((p) => p.days >= -curve.recent && p.seen);
  const [low, high] = [0, ...recent.map((point) => point.days)].reduce(
    ([a, b], day) => [Math.min(a, day), Math.max(b, day)], [0, 0]);
  const margin = Math.max(0.04 * (high - low), high - low > 0.01 ? 0.02 : 0.5);
  return [low - margin, high + margin];
};

const valuesShown = (points, shown) => {
  const values = points.flatMap((point) => [point.low, point.high]);
  if (shown.flux) return margins([0, ...values], 0.06, 1);
  if (!values.length) return [21, 19];
  const [bright, faint] = margins(values, 0.06, leastMagnitudes);
  return [faint, bright];
};

const drawAxes = (curve, shown, x, y, days, values) => {
  const { width, height, left, top, bottom } = curveSize;
  const right = rightMargin(curve, shown);
  const [end, base] = [width - right, height - bottom];
  const axes = svgElement("g", { class: "axes" },
    svgElement("rect", { x: left, y: top, width: end - left, height: base - top }));
  const text = (tx, ty, anchor, content, extra = {}) =>
    axes.append(svgElement("text", { x: tx, y: ty, "text-anchor": anchor, ...extra }, content));
  for (const [value, label] of ticks(...days, 6)) {
    axes.append(svgElement("path", { d: `M${x(value).toFixed(1)} ${top}V${base}` }));
    // A label in the middle of the last tick would be cut off at the edge.
    const isLast = x(value) > width - 15;
    text(isLast ? width - 2 : x(value).toFixed(1), base + 14, isLast ? "end" : "middle", label);
  }
  for (const [value, label] of ticks(...values, 7)) {
    axes.append(svgElement("path", { d: `M${left} ${y(value).toFixed(1)}H${end}` }));
    text(left - 5, (y(value) + 4).toFixed(1), "end", label);
  }
  if (curve.modulus !== null && !shown.flux) {
    for (const [value, label] of ticks(...values.map((mag) => mag - curve.modulus), 7)) {
      text(end + 5, (y(value + curve.modulus) + 4).toFixed(1), "start", label);
    }
    text(0, 0, "middle", "Absolute magnitude",
      { transform: `translate(${width - 2} ${(top + base) / 2}) rotate(-90)` });
  }
  text((left + end) / 2, height - 8, "middle", `Days since this alert (${dateOf(curve.jd)} UTC)`);
  const quantity = shown.flux ? "Difference flux (µJy)" : "Difference magnitude (AB)";
  text(0, 0, "middle", quantity,
    { transform: `translate(11 ${(top + base) / 2}) rotate(-90)` });
  return axes;
};

const drawRates = (curve, shown, x, y) => curve.lines
  .filter((line) => shown[bandNames[line[4] % 4]] !== false)
  .map(([day0, mag0, day1, mag1, code, rising]) => {
    // A straight line in magnitudes is curved in flux.
    const parts = shown.flux ? 12 : 1;
    const d = Array.from({ length: parts + 1 }, (_, k) => {
      const mag = mag0 + ((mag1 - mag0) * k) / parts;
      const value = shown.flux ? fluxOf(mag) : mag;
      const day = day0 + ((day1 - day0) * k) / parts;
      return `${k ? "L" : "M"}${x(day).toFixed(1)} ${y(value).toFixed(1)}`;
    }).join("");
    const verb = rising ? "rising" : "fading";
    return svgElement("path", { class: `rate ${verb} band-${bandNames[code % 4]}`, d });
  });

// Draw into an empty or old <svg>, and return the positions of the points.
const drawCurve = (svg, curve, view, shown) => {
  const { width, height, left, top, bottom } = curveSize;
  const right = rightMargin(curve, shown);
  const all = pointsOf(curve, shown);
  const days = daysShown(curve, view, all);
  const onlySeen = view.from === null && !view.all;
  const points = all.filter((point) => point.days >= days[0] && point.days <= days[1] &&
    (point.seen || !onlySeen));
  const values = valuesShown(points, shown);
  const x = scale(...days, left, width - right);
  const y = scale(...values, height - bottom, top);
  const clip = `clip-${svg.dataset.rank}`;
  const inside = svgElement("g", { "clip-path": `url(#${clip})` });
  inside.append(svgElement("path", { class: "now", d: `M${x(0).toFixed(1)} ${top}V${height - bottom}` }));
  inside.append(...drawRates(curve, shown, x, y));
  const places = points.map((point) => {
    const [px, py] = [+x(point.days).toFixed(1), +y(point.y).toFixed(1)];
    if (!point.isLimit) {
      inside.append(svgElement("path", { class: `error band-${point.band}${point.seen ? "" : " lighter"}`,
        d: `M${px} ${y(point.low).toFixed(1)}V${y(point.high).toFixed(1)}` }));
    }
    inside.append(marker(point, px, py));
    return { point, x: px, y: py };
  });
  if (curve.now !== null) {
    const now = points.find((point) => Math.abs(point.days) < 1e-5 && point.mag === curve.now);
    if (now) inside.append(svgElement("circle", { class: "ring", cx: x(0).toFixed(1), cy: y(now.y).toFixed(1), r: 8 }));
  }
  svg.replaceChildren(
    svgElement("defs", {}, svgElement("clipPath", { id: clip }, svgElement("rect",
      { x: left, y: top - 4, width: width - left - right, height: height - top - bottom + 8 }))),
    drawAxes(curve, shown, x, y, days, values), inside,
  );
  return { places, days, x };
};
