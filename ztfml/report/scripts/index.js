// The page of all nights: objects that people mark, with the nights that list them.

const nightsOf = new Map();
for (const night of data.nights) {
  for (const name of night.listed) nightsOf.set(name, [...(nightsOf.get(name) || []), night]);
}
const fileMarks = new Map(data.marks.map((mark) => [mark.objectId, cleaned(mark)]));

const allMarks = () => [...new Set([...fileMarks.keys(), ...storedObjects()])]
  .map((object) => [object, newestMark(storedMark(object), fileMarks.get(object))])
  .filter(([, mark]) => isDecided(mark))
  .sort(([, a], [, b]) => timeOf(b) - timeOf(a));

// Followed objects are open until they are classified.
const isOpen = (mark) => mark.mark === "follow" && !mark.label;
let showsAll = false;

const nightLinks = (object) => (nightsOf.get(object) || []).slice(0, 4).flatMap((night) => [
  element("a", { href: `${encodeURIComponent(night.file)}#${encodeURIComponent(object)}` },
    night.date || night.file), " "]);

const showMarked = () => {
  const all = allMarks();
  const open = all.filter(([, mark]) => isOpen(mark));
  query("#open-count").textContent =
    `${open.length} followed without a class, of ${all.length} marked objects`;
  query("#show-all").setAttribute("aria-pressed", String(showsAll));
  query("#export-marks").disabled = !all.length;
  query("#marked tbody").replaceChildren(...(showsAll ? all : open).map(([object, mark]) =>
    element("tr", {}, element("td", {}, object), element("td", {}, mark.mark || ""),
      element("td", {}, mark.label || ""), element("td", {}, mark.who || ""),
      element("td", {}, timeOf(mark) ? new Date(timeOf(mark)).toISOString().slice(0, 10) : ""),
      element("td", {}, mark.note || ""), element("td", {}, ...nightLinks(object)))));
};

query("#show-all").addEventListener("click", () => {
  showsAll = !showsAll;
  showMarked();
});
query("#export-marks").addEventListener("click", () =>
  download("all_marks.csv", markColumns, allMarks().map(([object, mark]) => markLine(object, mark))));
listenToImport(showMarked);
addEventListener("storage", showMarked);
showMarked();
