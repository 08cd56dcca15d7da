// Start the page.

query("#theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = getComputedStyle(root).colorScheme === "dark" ||
    (!root.style.colorScheme && matchMedia("(prefers-color-scheme: dark)").matches);
  root.style.colorScheme = dark ? "light" : "dark";
});

query("#compact").addEventListener("click", (event) => {
  const compact = document.body.classList.toggle("compact");
  event.currentTarget.setAttribute("aria-pressed", String(compact));
  if (current && !current.hidden) showCard(current);
  else query("#cards").scrollIntoView();
});

query("#show-help").addEventListener("click", () => query("#help").showModal());
query("#who").value = setting("name");
query("#who").addEventListener("input", (event) => changeSetting("name", event.target.value.trim()));

// The bar stays at the top and has one or more lines; it must not cover the card that is shown.
const keepBelowBar = () => {
  const bar = query(".bar");
  const height = getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0;
  document.documentElement.style.scrollPaddingTop = `${height + 8}px`;
};
keepBelowBar();
new ResizeObserver(keepBelowBar).observe(query(".bar"));

cards.forEach(listenToMarks);
foldEarlier();
showMarks();
buildWhenSeen(cards);
const place = takePlace();
if (place) restorePlace(place);
else goToAddress();
if (reloadBox) reloadOnChanges();
