// The page of a live night reloads itself when it has changed, and shows the same place again.

const placeKey = `ztfml place ${location.pathname}`;
// Seconds without input before a reload, and between two looks at a page on a web server.
const quietSeconds = 3;
const lookSeconds = 30;
const filters = [search, byClass, byMark, byRate];
const reloadBox = query("#reload");
let lastInput = 0;
let hasChanged = false;

const topOf = (node) => node.getBoundingClientRect().top;
const isOnScreen = (node) => {
  const { top, bottom } = node.getBoundingClientRect();
  return bottom > top && bottom > query(".bar").offsetHeight && top < innerHeight;
};
const sortedBy = () => queryAll("#ranked th").findIndex((head) => head.hasAttribute("aria-sort"));
const nodeOf = ({ kind, object }) => {
  const card = cards.find((one) => objectOf(one) === object);
  return card && (kind === "card" ? card : rowOf.get(card.dataset.candid));
};

// What the reader looks at: the current card, or the first row or card on the screen.
const anchor = () => {
  const card = current && isOnScreen(current) ? current : null;
  const node = card || [...rows, ...cards].find((one) => !one.hidden && isOnScreen(one));
  if (!node) return null;
  const object = objectOf(cardOf.get(node.dataset.candid));
  return { kind: node.matches(".card") ? "card" : "row", object, top: topOf(node) };
};

const focusedPlace = () => {
  const { activeElement: node } = document;
  const card = node.closest(".card");
  if (!card) return node.id ? { id: node.id } : null;
  const place = queryAll("*", card).indexOf(node);
  return { object: objectOf(card), note: node.matches("textarea"), isCard: place < 0,
    from: node.selectionStart, to: node.selectionEnd };
};

const savePlace = () => {
  const column = sortedBy();
  const head = queryAll("#ranked th")[column];
  sessionStorage.setItem(placeKey, JSON.stringify({
    filters: filters.map((control) => control.value),
    column, order: head && head.getAttribute("aria-sort"),
    folded: [...folded].map(objectOf), showsFolded,
    compact: document.body.classList.contains("compact"),
    scheme: document.documentElement.style.colorScheme,
    advance: query("#advance").checked,
    undoable: undoable.map(({ card, before, after }) => [objectOf(card), before, after]),
    current: current && objectOf(current), scroll: [scrollX, scrollY], anchor: anchor(),
    focus: focusedPlace(),
  }));
};

const takePlace = () => {
  try {
    const place = JSON.parse(sessionStorage.getItem(placeKey));
    sessionStorage.removeItem(placeKey);
    return place;
  } catch {
    return null;
  }
};

const moveTo = (place) => {
  const node = place.anchor && nodeOf(place.anchor);
  if (!node || node.hidden) {
    scrollTo(...place.scroll);
    return;
  }
  if (place.anchor.kind === "card") {
    const visible = visibleCards();
    const k = visible.indexOf(node);
    for (const near of visible.slice(Math.max(0, k - 2), k + 3)) buildCard(near);
  }
  scrollBy(0, topOf(node) - place.anchor.top);
};

const focusAgain = ({ id, object, note, isCard, from, to }) => {
  const card = object && cards.find((one) => objectOf(one) === object);
  const node = id ? query(`#${CSS.escape(id)}`) : card && (note ? query("textarea", card) : isCard ? card : null);
  if (!node) return;
  node.focus({ preventScroll: true });
  if (note) node.setSelectionRange(from, to);
};

const restorePlace = (place) => {
  filters.forEach((control, k) => { control.value = place.filters[k]; });
  // Objects that were decided since the page was opened stay where they are.
  folded.clear();
  for (const card of cards) if (place.folded.includes(objectOf(card))) folded.add(card);
  showsFolded = place.showsFolded;
  document.documentElement.style.colorScheme = place.scheme;
  query("#advance").checked = place.advance;
  if (place.compact) query("#compact").click();
  const head = queryAll("#ranked th")[place.column];
  while (head && head.getAttribute("aria-sort") !== place.order) sortBy(head);
  for (const [object, before, after] of place.undoable) {
    const card = cards.find((one) => objectOf(one) === object);
    if (card) undoable.push({ card, before, after });
  }
  showMarks();
  setCurrent(cards.find((one) => objectOf(one) === place.current) || null);
  moveTo(place);
  if (place.focus) focusAgain(place.focus);
  // Cards near the place are drawn in the next frames.
  requestAnimationFrame(() => requestAnimationFrame(() => moveTo(place)));
  history.scrollRestoration = "auto";
};

// A page in a file cannot ask whether it has changed; it reloads after the time of a round.
const looksChanged = async () => {
  if (location.protocol === "file:") return true;
  try {
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" });
    const modified = Date.parse(answer.headers.get("Last-Modified"));
    return answer.ok && !(modified <= Date.parse(document.lastModified));
  } catch {
    return false;
  }
};

const isBusy = () => document.hidden || query("#help").open ||
  Date.now() - lastInput < quietSeconds * 1000 || !getSelection().isCollapsed;

const reloadWhenQuiet = () => {
  if (!hasChanged || !reloadBox.checked || isBusy()) return;
  if (unsaved.size) {
    say("This page has changed. Export your marks, and reload it.");
    return;
  }
  try {
    savePlace();
  } catch {
    say("This page has changed. Reload it to see the changes.");
    return;
  }
  history.scrollRestoration = "manual";
  location.reload();
};

const reloadOnChanges = () => {
  const seconds = location.protocol === "file:" ? data.reload : Math.min(lookSeconds, data.reload);
  reloadBox.checked = setting("reload") !== "no";
  reloadBox.addEventListener("change", () => changeSetting("reload", reloadBox.checked ? "yes" : "no"));
  for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "scroll", "input"]) {
    addEventListener(kind, () => { lastInput = Date.now(); }, { passive: true, capture: true });
  }
  setInterval(async () => { hasChanged = hasChanged || await looksChanged(); }, seconds * 1000);
  setInterval(reloadWhenQuiet, 500);
};
