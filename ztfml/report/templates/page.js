"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const one = (selector, root = document) => root.querySelector(selector);
  const night = document.body.dataset.night;
  const cards = all(".card");
  const rows = all("#ranked tbody tr");
  const rowOf = new Map(rows.map((row) => [row.dataset.candid, row]));

  // --- marks and notes, kept in this browser ---------------------------------------------

  const key = `ztfml marks of ${night}`;
  // By candid, which stays text: its 19 digits are more than a number here can hold.
  let marks = {};
  let kept = true;
  try {
    marks = JSON.parse(localStorage.getItem(key)) || {};
  } catch {
    kept = false;
  }

  const keep = () => {
    try {
      localStorage.setItem(key, JSON.stringify(marks));
    } catch {
      kept = false;
    }
  };

  const markOf = (card) => marks[card.dataset.candid] || {};

  const change = (card, what) => {
    const mark = { ...markOf(card), ...what };
    const empty = !mark.mark && !mark.label && !mark.note;
    if (empty) delete marks[card.dataset.candid];
    else marks[card.dataset.candid] = mark;
    keep();
    show(card);
    tell();
    filter();
  };

  const show = (card) => {
    const { mark = "", label = "", note = "" } = markOf(card);
    card.dataset.mark = mark;
    one(".follow", card).setAttribute("aria-pressed", mark === "follow");
    one(".reject", card).setAttribute("aria-pressed", mark === "reject");
    one("select.class", card).value = label;
    const text = one("textarea", card);
    if (text.value !== note) text.value = note;
    one(".marks", card).classList.toggle("used", Boolean(mark || label || note));
    const row = rowOf.get(card.dataset.candid);
    row.dataset.mark = mark;
    const cell = one(".mark", row);
    cell.textContent = [{ follow: "★", reject: "✕" }[mark], label, note && "✎"]
      .filter(Boolean).join(" ");
    cell.dataset.value = { follow: "a", reject: "z" }[mark] || "m";
  };

  const tell = () => {
    const given = cards.map(markOf);
    const followed = given.filter((mark) => mark.mark === "follow").length;
    const labelled = given.filter((mark) => mark.label).length;
    one("#marked").textContent =
      `${followed} followed, ${labelled} classed` + (kept ? "" : " – not kept here: export them");
    one("#export-labels").disabled = !labelled;
    one("#export-marks").disabled = !given.some((mark) => Object.keys(mark).length);
  };

  for (const card of cards) {
    const toggle = (mark) => change(card, { mark: markOf(card).mark === mark ? "" : mark });
    one(".follow", card).addEventListener("click", () => toggle("follow"));
    one(".reject", card).addEventListener("click", () => toggle("reject"));
    one("select.class", card).addEventListener("change", (event) =>
      change(card, { label: event.target.value }));
    one("textarea", card).addEventListener("input", (event) =>
      change(card, { note: event.target.value }));
    for (const button of all("[data-plot]", card)) {
      button.addEventListener("click", () => {
        all(".curve", card).forEach((curve, k) => {
          curve.hidden = String(k) !== button.dataset.plot;
        });
        for (const other of all("[data-plot]", card)) {
          other.setAttribute("aria-pressed", other === button);
        }
      });
    }
  }

  // --- export ----------------------------------------------------------------------------

  const quoted = (value) => `"${value.replaceAll('"', '""')}"`;

  const download = (name, columns, lines) => {
    const text = [columns, ...lines].map((line) => line.map(quoted).join(",")).join("\n") + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const marked = (wanted) =>
    cards.filter((card) => wanted(markOf(card))).map((card) => [card, markOf(card)]);

  one("#export-labels").addEventListener("click", () => {
    const lines = marked((mark) => mark.label).map(([card, mark]) => [
      card.dataset.candid, card.dataset.object, mark.label,
      "by eye" + (mark.note ? `: ${mark.note}` : ""), "high",
    ]);
    download(`${night}_labels.csv`,
      ["candid", "objectId", "label", "evidence", "confidence"], lines);
  });

  one("#export-marks").addEventListener("click", () => {
    const lines = marked((mark) => mark.mark || mark.label || mark.note).map(([card, mark]) => [
      card.dataset.candid, card.dataset.object, mark.mark || "", mark.label || "",
      mark.note || "",
    ]);
    download(`${night}_marks.csv`, ["candid", "objectId", "mark", "label", "note"], lines);
  });

  // --- the list: filter and sort ---------------------------------------------------------

  const search = one("#search");
  const byClass = one("#by-class");
  const byMark = one("#by-mark");
  const byRate = one("#by-rate");

  const matches = (row) => {
    const text = row.textContent.toLowerCase();
    const mark = row.dataset.mark || "none";
    return search.value.toLowerCase().split(/\s+/).every((word) => text.includes(word)) &&
      (!byClass.value || row.dataset.class === byClass.value) &&
      (!byMark.value || mark === byMark.value) &&
      (!byRate.value || (row.dataset.rate !== "" && +row.dataset.rate >= +byRate.value));
  };

  const filter = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !matches(row);
      shown += !row.hidden;
    }
    one("#shown").textContent = `${shown} of ${rows.length} objects`;
    for (const card of cards) card.hidden = rowOf.get(card.dataset.candid).hidden;
  };

  for (const control of [search, byClass, byMark, byRate]) {
    control.addEventListener("input", filter);
  }

  const valueOf = (row, column) => {
    const cell = row.cells[column];
    return "value" in cell.dataset ? cell.dataset.value : cell.textContent.trim();
  };

  const compare = (a, b, kind) => {
    // What is missing stands last either way.
    if (a === "" || b === "") return null;
    return kind === "number" ? a - b : a.localeCompare(b);
  };

  const sortBy = (head) => {
    const heads = all("#ranked th");
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
    one("#ranked tbody").append(...sorted);
  };

  for (const head of all("#ranked th[data-sort]")) {
    head.tabIndex = 0;
    head.addEventListener("click", () => sortBy(head));
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter") sortBy(head);
    });
  }

  // --- keys ------------------------------------------------------------------------------

  const current = () => document.activeElement.closest(".card");

  const go = (step) => {
    const visible = cards.filter((card) => !card.hidden);
    const at = visible.indexOf(current());
    const next = visible[at < 0 ? (step > 0 ? 0 : visible.length - 1) : at + step];
    if (!next) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  };

  const keys = {
    j: () => go(1),
    k: () => go(-1),
    f: () => current() && one(".follow", current()).click(),
    x: () => current() && one(".reject", current()).click(),
    n: () => current() && one("textarea", current()).focus(),
    "/": () => search.focus(),
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.key === "Escape" && typing) {
      const card = event.target.closest(".card");
      event.target.blur();
      if (card) card.focus({ preventScroll: true });
    } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  one("#theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = getComputedStyle(root).colorScheme === "dark" ||
      (!root.style.colorScheme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.style.colorScheme = dark ? "light" : "dark";
  });

  cards.forEach(show);
  tell();
  filter();
})();
