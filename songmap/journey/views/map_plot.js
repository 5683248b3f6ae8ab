// The points: their colours, what plotly draws of them, and moving about among them.
const byId = (id) => document.getElementById(id);
const map = byId("map");
const SVG_POINTS = 2000; // beyond this many, the plane is drawn with WebGL
const TYPE = IN_SPACE ? "scatter3d" : N > SVG_POINTS ? "scattergl" : "scatter";
const SIZE = Math.max(3.5, Math.min(12, 30 * N ** -0.19)) * (IN_SPACE ? 0.6 : 1);
const DIMMED = Math.max(0.03, 0.16 * Math.min(1, (500 / N) ** 0.35)); // where many lie on each other, each fades more
const chosen = { colouring: 0, song: null, family: ALL, selection: [], by: "", isPath: false };
const nearest = (row) => similarTo(row, chosen.family).map(([other]) => other);
const current = () => prepared(colourings[chosen.colouring]);

// ── colours ──
const dark = matchMedia("(prefers-color-scheme: dark)");
const tone = (property) => getComputedStyle(document.documentElement).getPropertyValue(property).trim();
const scale = () => (dark.matches ? data.scale.slice(4) : data.scale.slice(1, -2)); // no end may sink into the page
function mixed(share) {
  const stops = scale();
  const place = share * (stops.length - 1);
  const left = Math.min(Math.floor(place), stops.length - 2);
  const [from, to] = [stops[left], stops[left + 1]].map((stop) => stop.match(/[\d.]+/g).map(Number));
  return `rgb(${from.map((part, i) => Math.round(part + (to[i] - part) * (place - left))).join(", ")})`;
}
function look(row) { // colour and marker of one song
  const { kind, colours, markers, index, bin, bins } = current();
  if (kind !== "number") return [colours[index[row]], markers[index[row]]];
  return [bin[row] < 0 ? tone("--faint") : mixed((bin[row] + 0.5) / bins), "circle"];
}

// ── what is drawn ──
const placed = (rows) =>
  Object.fromEntries(data.coordinates.map((axis, i) => ["xyz"[i], Float32Array.from(rows, (row) => axis[row])]));

function points(rows, opacity, size) { // a trace for each colour and marker
  const { kind, colours, markers, index, bin } = current();
  const looks = kind === "number" ? null : colours.map((colour, i) => colour + markers[i]);
  const groups = new Map();
  for (const row of rows) {
    const key = looks ? looks[index[row]] : bin[row];
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(row);
  }
  const line = { width: SIZE > 5 && !IN_SPACE ? 1 : 0, color: tone("--surface") };
  return [...groups.values()].map((own) => {
    const [color, symbol] = look(own[0]);
    const marker = { color, symbol, size, opacity, line };
    return { type: TYPE, mode: "markers", ...placed(own), rows: own, hoverinfo: "none", marker };
  });
}
const lines = (places) =>
  ({ type: TYPE, mode: "lines", hoverinfo: "skip", ...places, line: { color: tone("--muted"), width: IN_SPACE ? 3 : 1.5 } });
function linesFrom(row) {
  const ends = placed(nearest(row).flatMap((other) => [row, other]));
  const broken = Object.entries(ends).map(([axis, values]) => // null lifts the pen
    [axis, nearest(row).flatMap((_, i) => [values[2 * i], values[2 * i + 1], null])]);
  return lines(Object.fromEntries(broken));
}
function ringAround(row) {
  const [color, size] = [tone("--text"), SIZE + (IN_SPACE ? 8 : 12)];
  const marker = { symbol: "circle-open", size, color, line: { width: 2.5, color } };
  return { type: TYPE, mode: "markers", hoverinfo: "skip", ...placed([row]), marker };
}
function traces(rows) {
  const { song, selection, isPath } = chosen;
  if (song === null && !selection.length) return points(rows, 0.88, SIZE);
  const passing = new Set(rows);
  const meant = song === null ? selection : [song, ...nearest(song)];
  const bright = meant.filter((row) => passing.has(row) || row === song);
  // what the filter hides of them stays to be seen, as dim as the others
  const others = points([...rows, ...meant.filter((row) => !passing.has(row) && row !== song)], DIMMED, SIZE);
  if (song !== null) return [...others, linesFrom(song), ...points(bright, 1, Math.max(7, SIZE + 2)), ringAround(song)];
  const path = isPath ? [lines(placed(bright))] : [];
  return [...others, ...path, ...points(bright, 1, SIZE), ...(inQueue === null ? [] : [ringAround(inQueue)])];
}

// copied whenever plotly is given it, since it writes into its layout
const CAMERA = { eye: { x: 1.1, y: 1.1, z: 0.65 }, center: { x: 0, y: 0, z: -0.12 } };
const bareAxis = (range) => ({
  range, title: { text: "" }, showticklabels: false, showspikes: false, zeroline: false, showbackground: false,
});
function firstLayout() {
  const clear = "rgba(0,0,0,0)";
  const margin = { l: 0, r: 0, t: 0, b: 0 };
  const common = { showlegend: false, hovermode: "closest", margin, paper_bgcolor: clear, plot_bgcolor: clear };
  const [x, y, z] = data.limits;
  if (IN_SPACE) {
    const axes = { xaxis: bareAxis(x), yaxis: bareAxis(y), zaxis: bareAxis(z) };
    return { ...common, scene: { ...axes, aspectmode: "cube", dragmode: "turntable", camera: structuredClone(CAMERA) } };
  }
  // plotly widens one of them, so that no direction is stretched
  const yaxis = { visible: false, range: y, scaleanchor: "x" };
  return { ...common, dragmode: "pan", xaxis: { visible: false, range: x }, yaxis };
}
const SETTINGS = {
  responsive: true, displayModeBar: false, scrollZoom: true, showTips: false, doubleClick: false, typesetMath: false,
};

function draw() {
  const rows = visible();
  const amount = rows.length === N ? "All" : `${rows.length.toLocaleString("en")} of`;
  byId("count").textContent = `${amount} ${songs(N)} shown.`;
  byId("all").hidden = rows.length === N;
  const layout = map.layout ?? firstLayout(); // plotly keeps in it where one has moved to
  if (IN_SPACE) for (const axis of ["xaxis", "yaxis", "zaxis"]) layout.scene[axis].gridcolor = tone("--line");
  else {
    const line = { color: tone("--text"), width: 1.5 };
    Object.assign(layout, { selections: [], shapes: [], newselection: { line }, newshape: { line } });
  }
  showPassing(new Set(rows));
  return Plotly.react(map, traces(rows), layout, SETTINGS).then(showLabels);
}

// ── moving about ──
const ranges = () => [map.layout.xaxis.range, map.layout.yaxis.range];
const setRanges = ([x, y]) => Plotly.relayout(map, { "xaxis.range": x, "yaxis.range": y });
const setEye = (x, y, z) => Plotly.relayout(map, { "scene.camera.eye": { x, y, z } });

function zoom(factor) {
  const scaled = ([low, high]) => [-0.5, 0.5].map((end) => (low + high) / 2 + end * (high - low) * factor);
  if (!IN_SPACE) return setRanges(ranges().map(scaled));
  const { x, y, z } = map.layout.scene.camera.eye;
  return setEye(x * factor, y * factor, z * factor);
}
function wholeMap() {
  return IN_SPACE ? Plotly.relayout(map, { "scene.camera": structuredClone(CAMERA) }) : setRanges(data.limits);
}
function bringIntoView(row) {
  if (IN_SPACE) return;
  const place = data.coordinates.map((axis) => axis[row]);
  if (ranges().some(([low, high], i) => place[i] < low || place[i] > high))
    setRanges(ranges().map(([low, high], i) => [place[i] - (high - low) / 2, place[i] + (high - low) / 2]));
}
function turn(right, up) {
  const { x, y, z } = map.layout.scene.camera.eye;
  const [cos, sin] = [Math.cos(0.2 * right), Math.sin(0.2 * right)];
  return setEye(x * cos - y * sin, x * sin + y * cos, z + 0.2 * up);
}
function songTowards(right, up) { // the next visible one within 45° of a direction; from nowhere, the middle one
  const [x, y] = data.coordinates;
  const none = chosen.song === null;
  const [fromX, fromY] = none ? ranges().map(([low, high]) => (low + high) / 2) : [x[chosen.song], y[chosen.song]];
  let [best, least] = [null, Infinity];
  for (const row of visible()) {
    const along = (x[row] - fromX) * right + (y[row] - fromY) * up;
    const across = Math.abs((x[row] - fromX) * up - (y[row] - fromY) * right);
    const allowed = none || (along > 0 && across <= along);
    if (allowed && Math.abs(along) + across < least) [best, least] = [row, Math.abs(along) + across];
  }
  return best;
}
const pixels = (row) => pixelsAt(data.coordinates.map((axis) => axis[row]));
function pixelsAt(place) { // from the upper left corner of the plane, null outside; the map has no margins
  const shares = ranges().map(([low, high], i) => (place[i] - low) / (high - low));
  if (shares.some((share) => share < 0 || share > 1)) return null;
  return [shares[0] * map.clientWidth, (1 - shares[1]) * map.clientHeight];
}
