// What people decided about an object before, and what changed since.

const cards = queryAll(".card");
const objectOf = (card) => card.dataset.object;
const fileMarks = new Map(data.cards.filter((card) => card.earlier)
  .map((card) => [card.objectId, cleaned(card.earlier)]));

const markOfObject = (object) => newestMark(storedMark(object), fileMarks.get(object));
const markOf = (card) => markOfObject(objectOf(card));

// A decision about another alert, on this or another night.
const isEarlier = (card, mark = markOf(card)) =>
  isDecided(mark) && mark.candid !== card.dataset.candid;

const shownMark = { follow: "followed", reject: "rejected", skip: "skipped" };

const changesSince = (card, mark) => {
  const { light_curve: curve, label, best_rate: rate } = cardData(card);
  const days = curve ? curve.jd - +mark.jd : NaN;
  if (!mark.jd || !isFinite(days) || Math.abs(days) < 1e-4) return "";
  if (days < 0) return "That was a later alert than this one.";
  const since = curve.points.filter((row) => row[1] !== null && row[0] > -days + 1e-4).length;
  const changes = [`${since} new detection${since === 1 ? "" : "s"} in ${number(days, 1)} d`];
  if (mark.predicted && mark.predicted !== label) changes.push(`class ${mark.predicted} → ${label}`);
  if (mark.rate && rate !== null && Math.abs(rate - mark.rate) >= 0.05) {
    changes.push(`rate ${number(+mark.rate)} → ${number(rate)} mag/day`);
  }
  return `Since then: ${changes.join(", ")}.`;
};

const earlierText = (card, mark) => {
  const what = [shownMark[mark.mark], mark.label && `classified as ${mark.label}`].filter(Boolean)
    .join(" and ") || "noted";
  const who = mark.who ? ` by ${mark.who}` : "";
  const when = timeOf(mark) ? ` on ${new Date(timeOf(mark)).toISOString().slice(0, 10)}` : "";
  return `Earlier: ${what}${who}${when}. ${changesSince(card, mark)}`.trim();
};

// Objects that were rejected or classified on another night are folded away. This changes only
// when the page is opened or marks are imported, so that no card disappears while you read it.
const folded = new Set();
let showsFolded = false;

const foldEarlier = () => {
  folded.clear();
  for (const card of cards) {
    const mark = markOf(card);
    if (isEarlier(card, mark) && (mark.mark === "reject" || mark.label)) folded.add(card);
  }
};

const showFoldedCount = () => {
  const rejected = [...folded].filter((card) => markOf(card).mark === "reject").length;
  const rest = folded.size - rejected;
  const parts = [rejected && `${rejected} rejected`, rest && `${rest} classified`].filter(Boolean);
  query("#folded").hidden = !folded.size;
  query("#folded-count").textContent =
    `${parts.join(" and ")} earlier ${showsFolded ? "are shown" : "are folded away"}`;
  query("#show-folded").textContent = showsFolded ? "fold them away" : "show them";
};
