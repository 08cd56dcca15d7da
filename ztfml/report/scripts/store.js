// Marks in the browser's store: one entry per object, so that other tabs and the pages of other
// nights never overwrite each other.

const storagePrefix = "ztfml mark of ";
const decisions = ["mark", "label", "note"];
const markFields = [...decisions, "who", "when", "candid", "jd", "predicted", "rate"];
// Marks that the browser could not store.
const unsaved = new Map();

const cleaned = (entry) => {
  const mark = {};
  for (const field of markFields) {
    if (entry && typeof entry[field] === "string" && entry[field]) mark[field] = entry[field];
  }
  return mark;
};

const isDecided = (mark) => decisions.some((part) => mark[part]);

const storedMark = (object) => {
  if (unsaved.has(object)) return unsaved.get(object);
  try {
    return cleaned(JSON.parse(localStorage.getItem(storagePrefix + object)));
  } catch {
    return {};
  }
};

const storeMark = (object, mark) => {
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

const storedObjects = () => {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(storagePrefix))
      .map((key) => key.slice(storagePrefix.length));
  } catch {
    return [];
  }
};

const timeOf = (mark) => Date.parse(mark.when) || 0;

// The newer of the mark in the browser and the mark in the file of earlier marks.
const newestMark = (own, other) => {
  if (!other || (Object.keys(own).length && timeOf(own) >= timeOf(other))) return own;
  return cleaned({ ...other, note: [...new Set([other.note, own.note].filter(Boolean))].join("; ") });
};

// Settings of the reader, such as the name; without a store they last until the page is closed.
const settings = {};
const setting = (name) => {
  try {
    return settings[name] ?? localStorage.getItem("ztfml " + name) ?? "";
  } catch {
    return settings[name] ?? "";
  }
};
const changeSetting = (name, value) => {
  settings[name] = value;
  try {
    localStorage.setItem("ztfml " + name, value);
  } catch {
    // The value stays in `settings`.
  }
};

addEventListener("beforeunload", (event) => {
  if (unsaved.size) event.preventDefault();
});
