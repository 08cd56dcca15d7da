"use strict";
(() => {
  const queryAll = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const query = (selector, root = document) => root.querySelector(selector);
  const night = document.body.dataset.night;
  const cards = queryAll(".card");
  const rows = queryAll("#ranked tbody tr");
  const rowOf = new Map(rows.map((row) => [row.dataset.candid, row]));

  // --- marks and notes, stored in the browser ----------------------------------------------

  // One entry per object: pages of other nights, and other tabs, never overwrite each other.
  const storagePrefix = "ztfml mark of ";
  const parts = ["mark", "label", "note"];
  // Marks of this page that the browser could not store.
  const unsaved = new Map();

  const cleaned = (entry) => {
    const mark = {};
    for (const part of parts) {
      if (entry && typeof entry[part] === "string" && entry[part]) mark[part] = entry[part];
    }
    return mark;
  };

  const markOfObject = (object) => {
    if (unsaved.has(object)) return unsaved.get(object);
    try {
      return cleaned(JSON.parse(localStorage.getItem(storagePrefix + object)));
    } catch {
      return {};
    }
  };

  const saveMark = (object, mark) => {
    try {
      if (Object.keys(mark).length) {
        localStorage.setItem(storagePrefix + object, JSON.stringify(mark));
      } else {
        localStorage.removeItem(storagePrefix + object);
      }
      unsaved.delete(object);
    } catch {
      unsaved.set(object, mark);
    }
  };

  const markOf = (card) => markOfObject(card.dataset.object);

  const showMarks = (changed = cards) => {
    changed.forEach(showMark);
    showCounts();
    applyFilters();
  };

  const updateMark = (card, changes) => {
    // Reads the stored mark again, because another tab may have changed it.
    saveMark(card.dataset.object, cleaned({ ...markOf(card), ...changes }));
    showMarks([card]);
  };

  // Another tab changed a mark.
  addEventListener("storage", (event) => {
    if (event.key === null) showMarks();
    else if (event.key.startsWith(storagePrefix)) {
      const object = event.key.slice(storagePrefix.length);
      showMarks(cards.filter((card) => card.dataset.object === object));
    }
  });

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
      `${followed} followed, ${labelled} classified` + (unsaved.size ? " – not saved in this browser: export them" : "");
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

  // A spreadsheet takes text that begins with one of these characters as a formula.
  const guard = (value) => (/^[=+\-@\t\r]/.test(value) && isNaN(value) ? `'${value}` : value);
  const quote = (value) => `"${guard(value).replaceAll('"', '""')}"`;

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
    // Not NIGHT_labels.csv, which is the label file of the night.
    download(`${night}_labels_by_eye.csv`,
      ["candid", "objectId", "label", "evidence", "confidence"], lines);
  });

  query("#export-marks").addEventListener("click", () => {
    const lines = cardsWith((mark) => mark.mark || mark.label || mark.note).map(([card, mark]) => [
      card.dataset.candid, card.dataset.object, mark.mark || "", mark.label || "",
      mark.note || "",
    ]);
    download(`${night}_marks.csv`, ["candid", "objectId", "mark", "label", "note"], lines);
  });

  // --- import ----------------------------------------------------------------------------

  const largestImport = 10e6;

  const parseCsv = (text) => {
    const lines = [[]];
    for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
      lines.at(-1).push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      if (end !== ",") lines.push([]);
    }
    return lines.filter((line) => line.length > 1);
  };

  const classes = cards.length
    ? queryAll("select.class option", cards[0]).map((option) => option.value) : [];
  const allowed = {
    mark: (value) => ["follow", "reject"].includes(value),
    label: (value) => classes.includes(value),
    note: () => true,
  };

  const importMarks = (text) => {
    const [columns = [], ...lines] = parseCsv(text.replace(/^\ufeff/, ""));
    if (!columns.includes("objectId") || !parts.some((part) => columns.includes(part))) {
      return "Not imported: the file has no column objectId, or no mark, label or note.";
    }
    let imported = 0;
    let kept = 0;
    for (const line of lines) {
      const row = Object.fromEntries(columns.map((name, k) => [name, line[k] || ""]));
      if (!row.objectId || line.length !== columns.length) continue;
      const mark = markOfObject(row.objectId);
      for (const part of parts) {
        const value = (row[part] || "").replace(/^'(?=[=+\-@\t\r])/, "");
        if (!value || !allowed[part](value) || mark[part] === value) continue;
        if (mark[part]) kept += 1;
        else {
          mark[part] = value;
          imported += 1;
        }
      }
      saveMark(row.objectId, mark);
    }
    showMarks();
    return `Imported ${imported} marks, classes and notes.` +
      (kept ? ` ${kept} differ from those in this browser and were not imported.` : "");
  };

  query("#import-marks").addEventListener("click", () => query("#import-file").click());
  query("#import-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    query("#import-result").textContent = file.size > largestImport
      ? "Not imported: the file is larger than 10 MB." : importMarks(await file.text());
    event.target.value = "";
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

  showMarks();
})();
