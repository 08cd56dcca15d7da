// Export and import marks.

const night = document.body.dataset.night;
const largestImport = 10e6;

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

query("#import-marks").addEventListener("click", () => query("#import-file").click());
query("#import-file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  const text = file.size > largestImport ? null : await textOfFile(file);
  if (text === null) say("Not imported: the file is larger than 10 MB or not UTF-8.");
  else {
    say(importMarks(text));
    foldEarlier();
    showMarks();
  }
  event.target.value = "";
});
