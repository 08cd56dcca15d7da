// Marks as lines of a CSV file, and the merge of such a file with the marks in the browser.

const markColumns = ["candid", "objectId", "mark", "label", "note", "who", "when", "jd", "predicted", "rate"];
const markLine = (object, mark) =>
  markColumns.map((name) => (name === "objectId" ? object : mark[name] || ""));

const spellings = { objectid: "objectId", oid: "objectId", ztfid: "objectId", class: "label", comment: "note", notes: "note" };
const columnOf = (name) => {
  const plain = name.replace(/[^a-zA-Z]/g, "").toLowerCase();
  return spellings[plain] || plain;
};

const allowedMarks = ["follow", "reject", "skip"];
const valueOfPart = (part, text) => {
  if (part === "note") return text;
  const plain = text.toLowerCase();
  const value = part === "mark" ? plain.replace(/^(follow|reject|skip)(p?ed)$/, "$1") : plain;
  return (part === "mark" ? allowedMarks : data.labels).includes(value) ? value : null;
};

// The newer decision is kept; without times, that of this browser. Different notes are joined.
const mergeMark = (own, other) => {
  const merged = { ...own };
  let kept = 0;
  let taken = 0;
  const isNewer = timeOf(other) > timeOf(own);
  for (const part of decisions) {
    if (!other[part] || other[part] === own[part]) continue;
    if (part === "note") {
      if ((own.note || "").includes(other.note)) continue;
      merged.note = own.note ? `${own.note}; ${other.note}` : other.note;
      taken += 1;
    } else if (own[part] && !isNewer) kept += 1;
    else {
      merged[part] = other[part];
      taken += 1;
    }
  }
  const takes = taken && (isNewer || !isDecided(own));
  if (takes) {
    for (const field of markFields.slice(decisions.length)) merged[field] = other[field];
  }
  return { merged: cleaned(merged), kept, taken };
};

const importMarks = (text) => {
  const [head = [], ...lines] = parseCsv(text);
  const columns = head.map((name) => columnOf(name));
  if (!columns.includes("objectId") || !decisions.some((part) => columns.includes(part))) {
    return "Not imported: the file has no column objectId, or no mark, label or note.";
  }
  let [taken, kept, unknown] = [0, 0, 0];
  for (const line of lines) {
    const row = Object.fromEntries(columns.map((name, k) => [name, unguard((line[k] || "").trim())]));
    if (!row.objectId) continue;
    if (!/^\d{1,19}$/.test(row.candid || "")) row.candid = "";
    for (const part of decisions) {
      if (!row[part]) continue;
      const value = valueOfPart(part, row[part]);
      unknown += value === null;
      row[part] = value || "";
    }
    const result = mergeMark(storedMark(row.objectId), cleaned(row));
    taken += result.taken;
    kept += result.kept;
    if (result.taken) storeMark(row.objectId, result.merged);
  }
  return `Imported ${taken} marks, classes and notes.` +
    (kept ? ` ${kept} differ from newer ones in this browser and were not imported.` : "") +
    (unknown ? ` ${unknown} are not known marks or classes.` : "");
};

const largestImport = 10e6;

const listenToImport = (showImported) => {
  query("#import-marks").addEventListener("click", () => query("#import-file").click());
  query("#import-file").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const text = file.size > largestImport ? null : await textOfFile(file);
    if (text === null) say("Not imported: the file is larger than 10 MB or not UTF-8.");
    else {
      say(importMarks(text));
      showImported();
    }
    event.target.value = "";
  });
};
