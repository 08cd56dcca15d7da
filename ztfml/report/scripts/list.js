// Filter and sort the list; the cards follow its order.

const search = query("#search");
const byClass = query("#by-class");
const byMark = query("#by-mark");
const byRate = query("#by-rate");
const cardOf = new Map(cards.map((card) => [card.dataset.candid, card]));
const textOf = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

const hasMark = (row) => {
  const { mark, label } = row.dataset;
  if (byMark.value === "none") return !mark && !label;
  return !byMark.value || mark === byMark.value || (byMark.value === "label" && label);
};

const matches = (row) => {
  const text = `${textOf.get(row)} ${query(".mark", row).textContent}`;
  return search.value.toLowerCase().split(/\s+/).every((word) => text.includes(word)) &&
    (!byClass.value || row.dataset.class === byClass.value) && hasMark(row) &&
    (!byRate.value || (row.dataset.rate !== "" && +row.dataset.rate >= +byRate.value)) &&
    (showsFolded || !folded.has(cardOf.get(row.dataset.candid)));
};

const applyFilters = () => {
  let shown = 0;
  for (const row of rows) {
    row.hidden = !matches(row);
    shown += !row.hidden;
    cardOf.get(row.dataset.candid).hidden = row.hidden;
  }
  const listed = data.ranked > rows.length ? `${data.ranked} ranked, ${rows.length} listed` : `${rows.length} ranked`;
  query("#row-count").textContent = `${shown} of ${listed}`;
};

const visibleCards = () => queryAll(".card").filter((card) => !card.hidden);

const valueOf = (row, column) => {
  const cell = row.cells[column];
  return "value" in cell.dataset ? cell.dataset.value : cell.textContent.trim();
};

const compare = (a, b, kind) => {
  // Missing values come last in both directions.
  if (a === "" || b === "") return null;
  return kind === "number" ? a - b : a.localeCompare(b);
};

const sortBy = (head) => {
  const heads = queryAll("#ranked th");
  const column = heads.indexOf(head);
  const first = head.dataset.sort === "number" && column > 1 ? "descending" : "ascending";
  const other = first === "ascending" ? "descending" : "ascending";
  const order = head.getAttribute("aria-sort") === first ? other : first;
  for (const each of heads) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const sorted = [...rows].sort((a, b) => {
    const [left, right] = [valueOf(a, column), valueOf(b, column)];
    const found = compare(left, right, head.dataset.sort);
    return found === null ? (left === "") - (right === "") : sign * found;
  });
  query("#ranked tbody").append(...sorted);
  query("#card-list").append(...sorted.map((row) => cardOf.get(row.dataset.candid)));
};

for (const control of [search, byClass, byMark, byRate]) {
  control.addEventListener("input", applyFilters);
}
for (const head of queryAll("#ranked th[data-sort]")) {
  query("button", head).addEventListener("click", () => sortBy(head));
}

const toggleFolded = () => {
  showsFolded = !showsFolded;
  showFoldedCount();
  applyFilters();
};
query("#show-folded").addEventListener("click", toggleFolded);
