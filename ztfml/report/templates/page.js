"use strict";
(() => {
  const queryAll = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const query = (selector, root = document) => root.querySelector(selector);
  const night = document.body.dataset.night;
  const cards = queryAll(".card");
  const rows = queryAll("#ranked tbody tr");
  const rowOf = new Map(rows.map((row) => [row.dataset.candid, row]));

  // --- marks and notes, stored in the browser ----------------------------------------------

  const storageKey = `ztfml marks of ${night}`;
  // Keys are candids as text: a JavaScript number cannot hold their 19 digits.
  let marks = {};
  let canStore = true;
  try {
    marks = JSON.parse(localStorage.getItem(storageKey)) || {};
  } catch {
    canStore = false;
  }

  const saveMarks = () => {
    try {
      localStorage.setItem(storageKey, JSON.stringify(marks));
    } catch {
      canStore = false;
    }
  };

  const markOf = (card) => marks[card.dataset.candid] || {};

  const updateMark = (card, changes) => {
    const mark = { ...markOf(card), ...changes };
    const empty = !mark.mark && !mark.label && !mark.note;
    if (empty) delete marks[card.dataset.candid];
    else marks[card.dataset.candid] = mark;
    saveMarks();
    showMark(card);
    showCounts();
    applyFilters();
  };

  const showMark = (card) => {
    const { mark = "", label = "", note = "" } = markOf(card);
    card.dataset.mark = mark;
    query(".follow", card).setAttribute("aria-pressed", mark === "follow");
    query(".reject", card).setAttribute("aria-pressed", mark === "reject");
    query("select.class", card).value = label;
    const text = query("textarea", card);
    if (text.value !== note) text.value = note;
    query(".marks", card).classList.toggle("used", Boolean(mark || label || note));
    const row = rowOf.get(card.dataset.candid);
    row.dataset.mark = mark;
    const cell = query(".mark", row);
    cell.textContent = [{ follow: "★", reject: "✕" }[mark], label, note && "✎"]
      .filter(Boolean).join(" ");
    cell.dataset.value = { follow: "a", reject: "z" }[mark] || "m";
  };

  const showCounts = () => {
    const cardMarks = cards.map(markOf);
    const followed = cardMarks.filter((mark) => mark.mark === "follow").length;
    const labelled = cardMarks.filter((mark) => mark.label).length;
    query("#mark-counts").textContent =
      `${followed} followed, ${labelled} classified` + (canStore ? "" : " – not saved in this browser: export them");
    query("#export-labels").disabled = !labelled;
    query("#export-marks").disabled = !cardMarks.some((mark) => Object.keys(mark).length);
  };

  for (const card of cards) {
    const toggle = (mark) => updateMark(card, { mark: markOf(card).mark === mark ? "" : mark });
    query(".follow", card).addEventListener("click", () => toggle("follow"));
    query(".reject", card).addEventListener("click", () => toggle("reject"));
    query("select.class", card).addEventListener("change", (event) =>
      updateMark(card, { label: event.target.value }));
    query("textarea", card).addEventListener("input", (event) =>
      updateMark(card, { note: event.target.value }));
    for (const button of queryAll("[data-plot]", card)) {
      button.addEventListener("click", () => {
        queryAll(".curve", card).forEach((curve, k) => {
          curve.hidden = String(k) !== button.dataset.plot;
        });
        for (const other of queryAll("[data-plot]", card)) {
          other.setAttribute("aria-pressed", other === button);
        }
      });
    }
  }

  // --- export ----------------------------------------------------------------------------

  const quote = (value) => `"${value.replaceAll('"', '""')}"`;

  const download = (name, columns, lines) => {
    const text = [columns, ...lines].map((line) => line.map(quote).join(",")).join("\n") + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  const cardsWith = (wanted) =>
    cards.filter((card) => wanted(markOf(card))).map((card) => [card, markOf(card)]);

  query("#export-labels").addEventListener("click", () => {
    const lines = cardsWith((mark) => mark.label).map(([card, mark]) => [
      card.dataset.candid, card.dataset.object, mark.label,
      "by eye" + (mark.note ? `: ${mark.note}` : ""), "high",
    ]);
    download(`${night}_labels.csv`,
      ["candid", "objectId", "label", "evidence", "confidence"], lines);
  });

  query("#export-marks").addEventListener("click", () => {
    const lines = cardsWith((mark) => mark.mark || mark.label || mark.note).map(([card, mark]) => [
      card.dataset.candid, card.dataset.object, mark.mark || "", mark.label || "",
      mark.note || "",
    ]);
    download(`${night}_marks.csv`, ["candid", "objectId", "mark", "label", "note"], lines);
  });

  // --- filter and sort the list ---------------------------------------------------------

  const search = query("#search");
  const byClass = query("#by-class");
  const byMark = query("#by-mark");
  const byRate = query("#by-rate");

  const matches = (row) => {
    const text = row.textContent.toLowerCase();
    const mark = row.dataset.mark || "none";
    return search.value.toLowerCase().split(/\s+/).every((word) => text.includes(word)) &&
      (!byClass.value || row.dataset.class === byClass.value) &&
      (!byMark.value || mark === byMark.value) &&
      (!byRate.value || (row.dataset.rate !== "" && +row.dataset.rate >= +byRate.value));
  };

  const applyFilters = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !matches(row);
      shown += !row.hidden;
    }
    query("#row-count").textContent = `${shown} of ${rows.length} objects`;
    for (const card of cards) card.hidden = rowOf.get(card.dataset.candid).hidden;
  };

  for (const control of [search, byClass, byMark, byRate]) {
    control.addEventListener("input", applyFilters);
  }

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
  };

  for (const head of queryAll("#ranked th[data-sort]")) {
    head.tabIndex = 0;
    head.addEventListener("click", () => sortBy(head));
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter") sortBy(head);
    });
  }

  // --- keyboard --------------------------------------------------------------------------

  const current = () => document.activeElement.closest(".card");

  const moveFocus = (step) => {
    const visible = cards.filter((card) => !card.hidden);
    const index = visible.indexOf(current());
    const next = visible[index < 0 ? (step > 0 ? 0 : visible.length - 1) : index + step];
    if (!next) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  };

  const keys = {
    j: () => moveFocus(1),
    k: () => moveFocus(-1),
    f: () => current() && query(".follow", current()).click(),
    x: () => current() && query(".reject", current()).click(),
    n: () => current() && query("textarea", current()).focus(),
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

  query("#theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = getComputedStyle(root).colorScheme === "dark" ||
      (!root.style.colorScheme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.style.colorScheme = dark ? "light" : "dark";
  });

  cards.forEach(showMark);
  showCounts();
  applyFilters();
})();
