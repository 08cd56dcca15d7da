// The card that keys refer to, and the address of each card: #ZTF18abukavn.

let current = null;

const setCurrent = (card) => {
  if (current === card) return;
  if (current) current.classList.remove("current");
  current = card;
  if (!card) return;
  card.classList.add("current");
  history.replaceState(null, "", `#${encodeURIComponent(objectOf(card))}`);
};

const showCard = (card) => {
  const visible = visibleCards();
  const place = visible.indexOf(card);
  // Neighbours first, so that the card does not move when they are drawn.
  for (const near of visible.slice(Math.max(0, place - 2), place + 3)) buildCard(near);
  setCurrent(card);
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: document.body.classList.contains("compact") ? "nearest" : "start" });
};

const moveBy = (step) => {
  const ordered = queryAll(".card");
  let place = current ? ordered.indexOf(current) : step > 0 ? -1 : ordered.length;
  do place += step; while (ordered[place] && ordered[place].hidden);
  if (ordered[place]) showCard(ordered[place]);
  else say(step > 0 ? "This is the last card." : "This is the first card.");
};

const goToAddress = () => {
  let name = location.hash.slice(1);
  try {
    name = decodeURIComponent(name);
  } catch {
    return;
  }
  const card = cards.find((one) => objectOf(one) === name);
  if (!card) return;
  if (card.hidden && folded.has(card)) toggleFolded();
  if (card.hidden) {
    for (const control of [search, byClass, byMark, byRate]) control.value = "";
    applyFilters();
  }
  showCard(card);
};

addEventListener("hashchange", goToAddress);
for (const link of queryAll("#ranked tbody a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    showCard(cardOf.get(link.closest("tr").dataset.candid));
  });
}
document.addEventListener("focusin", (event) => {
  const card = event.target.closest(".card");
  if (card) setCurrent(card);
});
document.addEventListener("pointerdown", (event) => {
  const card = event.target.closest(".card");
  if (card) setCurrent(card);
});
