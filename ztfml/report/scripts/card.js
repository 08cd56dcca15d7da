// Build the body of a card when it comes into view: a page of 500 cards would start slowly.

const bar = (className, left, width) => element("td", { class: "barcell" }, element("span",
  { class: className, style: `margin-left:${left.toFixed(1)}%;width:${width.toFixed(1)}%` }));

const buildStamps = (card) => card.stamps && [
  element("div", { class: "stamps" }, ...card.stamps.images.map((image) => element("figure", {},
    element("img", { src: image.png, alt: `${image.kind} image of ${card.objectId}` }),
    element("figcaption", {}, image.kind)))),
  element("p", { class: "muted stamp-note" }, "1′ wide, north up, east left" +
    (card.stamps.of_this_alert ? "" : `; from alert ${card.stamps.candid}`)),
];

const buildContext = (card) => {
  if (!card.context.length) return null;
  const head = ["catalogue", "name", "type", "sep. (″)", "z"].map((text) => element("th", { scope: "col" }, text));
  const rows = card.context.flatMap((match) => {
    const known = (match.note || "").includes("classified") ? "classified" : "";
    const cells = [match.catalog, match.name || "", match.kind || "",
      number(match.separation_arcsec, 1), match.redshift === null ? "" : number(match.redshift, 3)];
    return [
      element("tr", { class: known }, ...cells.map((text) => element("td", {}, text))),
      match.note ? element("tr", { class: `note ${known}` }, element("td"), element("td", { colspan: 4 }, match.note)) : null,
    ].filter(Boolean);
  });
  return element("table", { class: "context" }, element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows));
};

const buildProbabilities = (card) => element("table", { class: "probabilities" },
  element("caption", {}, "Class probabilities"),
  element("tbody", {}, ...card.probabilities.map((p, k) => element("tr", {},
    element("th", { scope: "row" }, data.labels[k]), bar(`fill class-${data.labels[k]}`, 0, 100 * p),
    element("td", {}, number(p))))));

const buildTerms = (card) => {
  // The base, then the largest terms first.
  const order = card.terms.map((adds, k) => k)
    .sort((a, b) => (b === 0) - (a === 0) || Math.abs(card.terms[b]) - Math.abs(card.terms[a]));
  const rows = order.map((k) => {
    const [name, meaning] = data.terms[k];
    const adds = card.terms[k];
    const width = Math.min(50, 6 * Math.abs(adds));
    return element("tr", { title: meaning }, element("th", { scope: "row" }, name.replaceAll("_", " ")),
      bar(`fill term${adds < 0 ? " against" : ""}`, adds < 0 ? 50 - width : 50, width),
      element("td", {}, number(adds)));
  });
  return element("table", { class: "terms" },
    element("caption", {}, "Log odds of the score: sum of the terms"), element("tbody", {}, ...rows));
};

const buildPacket = (card) => element("dl", { class: "packet" },
  ...[...card.packet, ["candid", card.candid]].map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value))));

const buildBody = (card) => element("div", { class: "body" },
  card.light_curve ? buildCurve(card) : element("p", { class: "curves" }, "The time of this alert is unknown."),
  element("div", { class: "middle" },
    element("ul", { class: "reasons" }, ...card.reasons.split("; ").map((reason) => element("li", {}, reason))),
    ...(buildStamps(card) || []), buildContext(card), buildProbabilities(card)),
  element("div", { class: "right" }, buildTerms(card)),
  buildPacket(card));

const dataOf = new Map(data.cards.map((card) => [card.candid, card]));
const cardData = (node) => dataOf.get(node.dataset.candid);

const buildCard = (node) => {
  if (node.dataset.built) return;
  node.dataset.built = "yes";
  const card = cardData(node);
  query(".links", node).append(...card.links.flatMap(([name, address]) => [
    element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, name), " "]));
  query(".marks", node).before(buildBody(card));
};

const buildWhenSeen = (nodes) => {
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        buildCard(entry.target);
        observer.unobserve(entry.target);
      }
    }
  }, { rootMargin: "1200px" });
  for (const node of nodes) observer.observe(node);
};
