// Print the first cards of the list, in its order.

const mostPrinted = 50;

const preparePrint = () => {
  const printed = new Set(visibleCards().slice(0, mostPrinted));
  for (const card of cards) {
    card.classList.toggle("unprinted", !printed.has(card));
    rowOf.get(card.dataset.candid).classList.toggle("unprinted", !printed.has(card));
  }
  printed.forEach(buildCard);
  query("#printed").textContent = `${printed.size} of ${rows.length} listed objects are printed.`;
};

addEventListener("beforeprint", preparePrint);
matchMedia("print").addEventListener("change", (event) => event.matches && preparePrint());
