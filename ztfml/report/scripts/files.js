// Export the marks of this page, and import marks.

const night = document.body.dataset.night;

const decidedCards = (wanted) =>
  cards.map((card) => [card, markOf(card)]).filter(([, mark]) => wanted(mark));

query("#export-labels").addEventListener("click", () => {
  const lines = decidedCards((mark) => mark.label).map(([card, mark]) => [
    mark.candid || card.dataset.candid, objectOf(card), mark.label,
    `by eye${mark.who ? ` (${mark.who})` : ""}${mark.note ? `: ${mark.note}` : ""}`, "high",
  ]);
  // Not NIGHT_labels.csv, which is the label file of the night.
  download(`${night}_labels_by_eye.csv`,
    ["candid", "objectId", "label", "evidence", "confidence"], lines);
});

query("#export-marks").addEventListener("click", () => {
  const lines = decidedCards(isDecided).map(([card, mark]) => markLine(objectOf(card), mark));
  download(`${night}_marks.csv`, markColumns, lines);
});

listenToImport(() => {
  foldEarlier();
  showMarks();
});
