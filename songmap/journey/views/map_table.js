// The table of songs in the page, and what follows from it alone: where files are, what a filter lets through,
// what a search finds, what a playlist says. Rows are song numbers, 0 … N - 1.
const data = JSON.parse(document.getElementById("songs").textContent);
const N = data.titles.length;
const IN_SPACE = data.coordinates.length === 3;
const UNKNOWN = "UNKNOWN";
const BINS = 40;

function unpacked({ type, base64 }) {
  const signs = atob(base64);
  const bytes = new Uint8Array(signs.length);
  for (let i = 0; i < signs.length; i++) bytes[i] = signs.charCodeAt(i);
  return new globalThis[type](bytes.buffer);
}
for (const column of ["artists", "albums", "genres", "keys", "folders"])
  data[column].index = unpacked(data[column].index);
for (const column of ["durations_s", "tempos_bpm", "years", "neighbours", "similarities"])
  data[column] = unpacked(data[column]);
data.coordinates = data.coordinates.map(unpacked);

const of = (column, row) => data[column].table[data[column].index[row]];
const title = (row) => data.titles[row] || "untitled";
const artist = (row) => of("artists", row) || "artist unknown";
const genre = (row) => category(of("genres", row));
const category = (text) => (text === UNKNOWN ? "unknown" : text);
const year = (row) => (Number.isFinite(data.years[row]) ? String(data.years[row]) : "");
const songs = (count) => `${count.toLocaleString("en")} song${count === 1 ? "" : "s"}`;

function clock(seconds) {
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
function facts(row) {
  const bpm = data.tempos_bpm[row];
  const tempo = bpm > 0 ? `${bpm.toFixed(1)} BPM` : "no tempo";
  return [genre(row), tempo, of("keys", row) || "key unknown", clock(data.durations_s[row])];
}

// ── files ──
const joined = (...parts) =>
  parts.filter(Boolean).reduce((whole, part) => whole + (whole.endsWith(data.separator) ? "" : data.separator) + part);
// below the folder that all songs share, so that a page that is passed on does not show where it is
const path = (row) => joined(of("folders", row), data.names[row]);

// a byte of a file name that is not UTF-8 is in the table as U+DC80…DCFF, as Python reads it
const bytesApart = (text) =>
  text.split(/([\udc80-\udcff])/u).map((part, i) => (i % 2 ? part.charCodeAt(0) - 0xdc00 : part));
const encodedPiece = (piece) =>
  typeof piece === "number"
    ? `%${piece.toString(16).toUpperCase()}`
    : encodeURIComponent(piece.replace(/[\ud800-\udfff]/gu, "\ufffd")).replaceAll("%3A", ":");
const encoded = (text) =>
  text.split(data.separator).map((part) => bytesApart(part).map(encodedPiece).join("")).join("/");

function address(row) { // from the page, wherever both were moved to
  if (!data.fromPage) return `file:///${encoded(path(row))}`; // another drive than the page's
  return new URL(`./${encoded(joined(data.fromPage, path(row)))}`, document.baseURI).href;
}
function absolutePath(row) { // an address where there is none, or where it would not be one line
  const page = new URL(".", document.baseURI);
  if (page.protocol !== "file:" || /[\r\n]/.test(path(row))) return address(row);
  if (!data.fromPage) return path(row);
  let folder;
  try {
    folder = decodeURIComponent(page.pathname);
  } catch { // not UTF-8
    return address(row);
  }
  const parts = [];
  for (const part of [...folder.split("/"), ...joined(data.fromPage, path(row)).split(data.separator)]) {
    if (part === "..") parts.pop();
    else if (part && part !== ".") parts.push(part);
  }
  return (data.separator === "/" ? "/" : "") + parts.join(data.separator);
}

const oneLine = (text) => text.replace(/[\r\n]+/g, " ");
function playlist(rows) { // with absolute paths: a download does not lie beside the music
  const entries = rows.map((row) => {
    const names = [of("artists", row), title(row)].filter(Boolean).join(" - ");
    return `#EXTINF:${Math.round(data.durations_s[row])},${oneLine(names)}\n${absolutePath(row)}\n`;
  });
  return `#EXTM3U\n${entries.join("")}`;
}
function csv(rows) {
  const head = ["title", "artist", "album", "genre", "tempo_bpm", "key", "duration_s", "year", "file_path"];
  const lines = rows.map((row) => [
    title(row), of("artists", row), of("albums", row), of("genres", row),
    data.tempos_bpm[row] > 0 ? data.tempos_bpm[row].toFixed(2) : "", of("keys", row),
    data.durations_s[row].toFixed(1), year(row), absolutePath(row),
  ]);
  // what a spreadsheet would take for a formula begins with an apostrophe, as in songmap/core/tables.py
  const harmless = (text) => text.replace(/(^|;)(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/g, "$1'");
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const cell = (text) => quoted(/^[-+]?\d+(\.\d+)?$/.test(text) ? text : harmless(String(text)));
  return [head, ...lines].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}
const fileBytes = (text) => bytesApart(text).map((piece) => (typeof piece === "number" ? Uint8Array.of(piece) : piece));

// ── colourings and filters ──
const colourings = data.colourings.map((given) => ({ ...given, hidden: new Set() }));

function prepared(colouring) { // unpacked when first looked at
  if (colouring.counts) return colouring;
  if (colouring.kind === "number") return preparedNumbers(colouring);
  colouring.index = unpacked(colouring.index);
  colouring.counts = new Uint32Array(colouring.table.length);
  for (const index of colouring.index) colouring.counts[index]++;
  return colouring;
}
function preparedNumbers(colouring) { // with bins of equal width; whole numbers get whole bins
  const values = unpacked(colouring.values);
  const known = values.filter(Number.isFinite).sort();
  const whole = known.every(Number.isInteger);
  const at = (share) => known[Math.round(share * (known.length - 1))] ?? 0;
  const few = known.length > 200 ? 0.005 : 0; // so many outliers at each end do not spend the colours
  const [low, high] = [at(few), at(1 - few)];
  const step = whole ? Math.max(1, Math.ceil((high - low + 1) / BINS)) : (high - low) / BINS || 1;
  const bins = whole ? Math.ceil((high - low + 1) / step) : BINS;
  const bin = Int16Array.from(values, (value) =>
    Number.isFinite(value) ? Math.max(0, Math.min(bins - 1, Math.floor((value - low) / step))) : -1);
  const counts = new Uint32Array(bins);
  for (const one of bin) if (one >= 0) counts[one]++;
  return Object.assign(colouring, {
    values, whole, low, step, bins, bin, counts,
    from: 0, to: bins - 1, least: at(0), most: at(1), unknown: N - known.length,
  });
}
const isRange = (colouring) => colouring.from > 0 || colouring.to < colouring.bins - 1;
const isFilter = (colouring) => colouring.hidden.size > 0 || isRange(colouring);
function passes(colouring, row) {
  if (colouring.kind !== "number") return !colouring.hidden.has(colouring.index[row]);
  const bin = colouring.bin[row];
  if (bin < 0) return !colouring.hidden.has(-1) && !isRange(colouring);
  return bin >= colouring.from && bin <= colouring.to;
}
function visible() {
  const active = colourings.filter(isFilter);
  const rows = [];
  for (let row = 0; row < N; row++) if (active.every((colouring) => passes(colouring, row))) rows.push(row);
  return rows;
}
function showAll() {
  for (const colouring of colourings) Object.assign(colouring, { hidden: new Set(), from: 0, to: colouring.bins - 1 });
}

// ── finding by name ──
const LETTERS = { ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i" };
const folded = (text) =>
  text.toUpperCase().toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, "")
    .replace(/[øłđðþæœı]/g, (sign) => LETTERS[sign]);
let folds = null; // made when first needed
let vocabulary = null;

function find(query) { // titles that begin so, titles that hold it, then all that have its words anywhere
  const wanted = folded(query).trim();
  if (!wanted) return [];
  folds ??= data.titles.map((_, row) =>
    [title(row), of("artists", row), of("albums", row), genre(row)].map(folded).join("\n"));
  const words = wanted.split(/\s+/);
  const ranks = [[], [], []];
  folds.forEach((text, row) => {
    if (!words.every((word) => text.includes(word))) return;
    const place = text.indexOf(wanted);
    ranks[place === 0 ? 0 : place > 0 && place < text.indexOf("\n") ? 1 : 2].push(row);
  });
  return ranks.flat();
}
function findNearly(query) { // songs whose words differ from the query's by typing errors
  if (!folds) return [];
  vocabulary ??= [...new Set(folds.flatMap((text) => text.split(/[^\p{L}\p{N}]+/u)))];
  const words = folded(query).trim().split(/\s+/);
  const meant = words.map((word) => {
    const most = word.length < 4 ? 0 : word.length < 8 ? 1 : 2;
    return [word, ...vocabulary.filter((known) => isNear(word, known, most))];
  });
  return folds.flatMap((text, row) => (meant.every((any) => any.some((word) => text.includes(word))) ? [row] : []));
}
function isNear(word, known, most) { // letters changed, missing, added, or two that follow each other swapped
  if (Math.abs(word.length - known.length) > most) return false;
  let [before, last] = [[], Array.from({ length: known.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= word.length; i++) {
    const row = [i];
    for (let j = 1; j <= known.length; j++) {
      const cost = word[i - 1] === known[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost);
      if (i > 1 && j > 1 && word[i - 1] === known[j - 2] && word[i - 2] === known[j - 1])
        row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    [before, last] = [last, row];
  }
  return last[known.length] <= most;
}
