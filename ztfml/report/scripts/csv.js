// Read and write CSV files.

// A spreadsheet takes text that begins with one of these characters as a formula.
const guard = (value) => (/^[=+\-@\t\r]/.test(value) && isNaN(value) ? `'${value}` : value);
const unguard = (value) => value.replace(/^'(?=[=+\-@\t\r])/, "");
const quote = (value) => `"${guard(value).replaceAll('"', '""')}"`;

const download = (name, columns, lines) => {
  const text = [columns, ...lines].map((line) => line.map(quote).join(",")).join("\n") + "\n";
  const link = element("a", { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

const parseCsv = (text) => {
  const header = text.slice(0, (text + "\n").indexOf("\n"));
  const count = (sign) => header.split(sign).length;
  const separator = [",", ";", "\t", "|"].reduce((a, b) => (count(b) > count(a) ? b : a));
  const lines = [[]];
  let cell = "";
  let quoted = false;
  for (let k = 0; k < text.length; k++) {
    const sign = text[k];
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[k + 1] === '"') cell += text[++k];
      else quoted = false;
    } else if (sign === '"' && cell.trim() === "") {
      quoted = true;
      cell = "";
    } else if (sign === separator || sign === "\n") {
      lines.at(-1).push(cell.replace(/\r$/, ""));
      cell = "";
      if (sign === "\n") lines.push([]);
    } else cell += sign;
  }
  lines.at(-1).push(cell);
  return lines.filter((line) => line.some((value) => value.trim()));
};

// The text of a file, or null if it is neither UTF-8 nor UTF-16 with a byte order mark.
const textOfFile = async (file) => {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const isUtf16 = bytes[0] + bytes[1] === 0x1fd && bytes.length % 2 === 0;
  const encoding = !isUtf16 ? "utf-8" : bytes[0] === 0xff ? "utf-16le" : "utf-16be";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
};
