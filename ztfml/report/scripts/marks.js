// Give marks with buttons and keys, undo them, and show them on the card and in the list.

const rows = queryAll("#ranked tbody tr");
const rowOf = new Map(rows.map((row) => [row.dataset.candid, row]));
const symbols = { follow: "★", reject: "✕", skip: "›" };
const undoable = [];

const updateMark = (card, changes, canUndo = true) => {
  const object = objectOf(card);
  // Reads the stored mark again, because another tab may have changed it.
  const before = storedMark(object);
  const { candid, label, best_rate: rate, light_curve: curve } = cardData(card);
  const after = cleaned({
    ...markOf(card), ...changes, who: setting("name"), when: new Date().toISOString(), candid,
    jd: curve ? curve.jd.toFixed(5) : "", predicted: label, rate: rate === null ? "" : rate.toFixed(3),
  });
  // An empty mark is stored if a file of marks has an older one, which it replaces.
  storeMark(object, isDecided(after) || fileMarks.has(object) ? after : {});
  if (canUndo) undoable.push({ card, before, after: storedMark(object) });
  showMarks([card]);
};

const sameDecision = (a, b) => a.mark === b.mark && a.label === b.label && a.when === b.when;

const undo = () => {
  const last = undoable.pop();
  if (!last) {
    say("Nothing to undo.");
    return null;
  }
  const object = objectOf(last.card);
  const now = storedMark(object);
  const note = now.note || "";
  // A note that was written afterwards stays.
  if (!sameDecision({ ...now, when: "" }, { ...last.after, when: "" })) {
    say(`${object} was changed in another tab; nothing was undone.`);
    return null;
  }
  storeMark(object, cleaned({ ...last.before, note }));
  showMarks([last.card]);
  say(`Undone: ${object}.`);
  return last.card;
};

const toggleMark = (card, mark) => updateMark(card, { mark: markOf(card).mark === mark ? "" : mark });
const toggleLabel = (card, label) =>
  updateMark(card, { label: markOf(card).label === label ? "" : label });

const showMark = (card) => {
  const stored = markOf(card);
  const { mark = "", label = "", note = "" } = stored;
  const earlier = isEarlier(card, stored);
  card.dataset.mark = mark;
  for (const button of queryAll("[data-mark]", card)) {
    button.setAttribute("aria-pressed", String(mark === button.dataset.mark));
  }
  for (const button of queryAll("[data-label]", card)) {
    button.setAttribute("aria-pressed", String(label === button.dataset.label));
  }
  const text = query("textarea", card);
  if (text.value !== note) text.value = note;
  query(".marks", card).classList.toggle("used", isDecided(stored));
  query(".earlier", card).hidden = !earlier;
  query(".earlier", card).textContent = earlier ? earlierText(card, stored) : "";
  const row = rowOf.get(card.dataset.candid);
  row.dataset.mark = mark;
  row.dataset.label = label;
  const cell = query(".mark", row);
  cell.textContent = [symbols[mark], label, note && "✎"].filter(Boolean).join(" ");
  cell.title = earlier ? earlierText(card, stored) : note;
  cell.dataset.value = { follow: "a", skip: "y", reject: "z" }[mark] || (label ? "b" : "m");
};

const showCounts = () => {
  const given = cards.map(markOf);
  const followed = given.filter((mark) => mark.mark === "follow").length;
  const labelled = given.filter((mark) => mark.label).length;
  query("#mark-counts").textContent = `${followed} followed, ${labelled} classified` +
    (unsaved.size ? " – not saved in this browser: export them" : "");
  query("#export-labels").disabled = !labelled;
  query("#export-marks").disabled = !given.some(isDecided);
};

const showMarks = (changed = cards) => {
  changed.forEach(showMark);
  showCounts();
  showFoldedCount();
  applyFilters();
};

// Another tab changed a mark.
addEventListener("storage", (event) => {
  if (event.key === null) showMarks();
  else if (event.key.startsWith(storagePrefix)) {
    const object = event.key.slice(storagePrefix.length);
    showMarks(cards.filter((card) => objectOf(card) === object));
  }
});

const listenToMarks = (card) => {
  for (const button of queryAll("[data-mark]", card)) {
    button.addEventListener("click", () => toggleMark(card, button.dataset.mark));
  }
  for (const button of queryAll("[data-label]", card)) {
    button.addEventListener("click", () => toggleLabel(card, button.dataset.label));
  }
  query("textarea", card).addEventListener("input", (event) =>
    updateMark(card, { note: event.target.value }, false));
};
