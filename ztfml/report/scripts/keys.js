// Keys for scanning. They keep working after a click, because the current card is remembered.

// After a decision the next card follows, so that one key per object is enough.
const decide = (give) => () => {
  if (!current || current.hidden) {
    moveBy(1);
    return;
  }
  const card = current;
  const before = visibleCards();
  give(card);
  const next = before[before.indexOf(card) + 1];
  if (next && query("#advance").checked && isDecided(markOf(card))) showCard(next);
};

const keys = {
  j: () => moveBy(1),
  k: () => moveBy(-1),
  f: decide((card) => toggleMark(card, "follow")),
  x: decide((card) => toggleMark(card, "reject")),
  s: decide((card) => toggleMark(card, "skip")),
  u: () => {
    const card = undo();
    if (card && !card.hidden) showCard(card);
  },
  n: () => current && query("textarea", current).focus(),
  h: toggleFolded,
  c: () => query("#compact").click(),
  "/": () => search.focus(),
  "?": () => query("#help").showModal(),
};
data.labels.forEach((label, k) => {
  keys[k + 1] = decide((card) => toggleLabel(card, label));
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("textarea, select, input:not([type=checkbox])");
  if (event.key === "Escape" && typing) {
    event.target.blur();
    if (current) current.focus({ preventScroll: true });
  } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey &&
      !query("#help").open && keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});
