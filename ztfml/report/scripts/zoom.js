// Zoom, move and hover in the light curve of a card; the switches apply to all cards.

const shownParts = { limits: true, forced: true, flux: false, g: true, r: true, i: true };
const drawnCurves = [];

const redrawCurves = () => {
  for (const draw of drawnCurves) draw();
};

const switches = () => Object.keys(shownParts).map((name) => {
  const button = element("button", { class: `switch-${name}`, "data-shows": name, "aria-pressed": String(shownParts[name]) },
    name);
  button.addEventListener("click", () => {
    shownParts[name] = !shownParts[name];
    for (const other of queryAll(`[data-shows="${name}"]`)) {
      other.setAttribute("aria-pressed", String(shownParts[name]));
    }
    redrawCurves();
  });
  return button;
});

const curveSummary = (curve, name) => {
  const n = curve.points.filter((row) => row[1] !== null).length;
  return `Light curve of ${name}: ${n} detections, ${curve.points.length - n} limits`;
};

const buildCurve = (card) => {
  const curve = card.light_curve;
  const view = { from: null, to: null, all: false };
  const svg = svgElement("svg", { class: "plot", viewBox: `0 0 ${curveSize.width} ${curveSize.height}`,
    role: "img", "aria-label": curveSummary(curve, card.objectId), "data-rank": card.rank });
  const reading = element("p", { class: "reading" });
  let drawn;
  const draw = () => {
    drawn = drawCurve(svg, curve, view, shownParts);
  };
  const setView = (from, to, all = false) => {
    Object.assign(view, { from, to, all });
    draw();
  };
  const zoom = (factor, centre) => {
    const [from, to] = drawn.days;
    const middle = centre ?? (from + to) / 2;
    if ((to - from) * factor > 0.02) setView(middle + (from - middle) * factor, middle + (to - middle) * factor);
  };
  const move = (share) => {
    const [from, to] = drawn.days;
    setView(from + share * (to - from), to + share * (to - from));
  };
  const button = (text, title, action) => {
    const made = element("button", { title, "aria-label": title }, text);
    made.addEventListener("click", action);
    return made;
  };
  const pixelOf = (event) => {
    const box = svg.getBoundingClientRect();
    const factor = curveSize.width / box.width;
    return [(event.clientX - box.left) * factor, (event.clientY - box.top) * factor];
  };

  svg.addEventListener("wheel", (event) => {
    // Without a key, the wheel scrolls the page.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, drawn.x.inverse(pixelOf(event)[0]));
  }, { passive: false });
  let grip = null;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button === 0 && event.pointerType === "mouse") grip = { at: pixelOf(event)[0], days: drawn.days, x: drawn.x };
  });
  svg.addEventListener("pointermove", (event) => {
    const [px, py] = pixelOf(event);
    if (grip && event.buttons) {
      if (Math.abs(px - grip.at) < 3) return;
      const shift = grip.x.inverse(grip.at) - grip.x.inverse(px);
      setView(grip.days[0] + shift, grip.days[1] + shift);
      return;
    }
    grip = null;
    const distance = (place) => Math.hypot(place.x - px, place.y - py);
    const nearest = drawn.places.reduce((best, place) =>
      (!best || distance(place) < distance(best) ? place : best), null);
    reading.textContent = nearest && distance(nearest) < 15 ? describePoint(nearest.point, curve.jd) : "";
  });
  svg.addEventListener("pointerup", () => { grip = null; });
  svg.addEventListener("dblclick", () => setView(null, null, view.all));

  draw();
  drawnCurves.push(draw);
  const more = curve.points.some((row) => row[0] < -curve.recent || row[4] & notSeen);
  const tools = element("div", { class: "switch", role: "group", "aria-label": "light curve" },
    button(`${curve.recent} d`, `last ${curve.recent} days`, () => setView(null, null)),
    more ? button("all", "all data", () => setView(null, null, true)) : null,
    button("←", "earlier", () => move(-0.4)), button("→", "later", () => move(0.4)),
    button("+", "zoom in", () => zoom(0.5)), button("−", "zoom out", () => zoom(2)),
    ...switches());
  const rates = element("ul", { class: "rates" }, ...curve.lines.map(([, , , , code, rising, rate, error]) =>
    element("li", { class: `band-${bandNames[code % 4]}` },
      `${rising ? "rising" : "fading"} ${number(rate)} ± ${number(error)} mag/day in ${bandNames[code % 4]}`)));
  return element("div", { class: "curves" }, element("figure", { class: "curve" }, svg), reading, tools, rates);
};
