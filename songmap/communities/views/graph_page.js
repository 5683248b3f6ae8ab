// Songs and their strongest edges on a canvas: pan, zoom, hover, choose, search, one community at a time.
const byId = (id) => document.getElementById(id);
const graph = JSON.parse(byId("graph").textContent);
const canvas = byId("canvas");
const context = canvas.getContext("2d");
const N_SONGS = graph.titles.length;
const MAX_FOUND = 30;
const MARGIN = 1.07;
const ZOOM_NAMES = 3; // from which grey communities have names too: hundreds would cover all songs
const reach = MARGIN * Math.max(1e-6, ...graph.x.map(Math.abs), ...graph.y.map(Math.abs));
const strongest = graph.strengths.reduce((most, one) => Math.max(most, one), 1e-9);
const edgesOf = graph.titles.map(() => []);
graph.first.forEach((one, edge) => { edgesOf[one].push(edge); edgesOf[graph.second[edge]].push(edge); });
const view = { x: 0, y: 0, zoom: 1 };
let width = 1;
let height = 1;
let hovered = -1;
let chosen = -1;
let community = -1;

const name = (song) => (graph.artists[song] ? `${graph.titles[song]} – ${graph.artists[song]}` : graph.titles[song]);
const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
const names = graph.titles.map((_, song) => plain(`${graph.artists[song]} ${graph.titles[song]}`));
const other = (edge, song) => (graph.first[edge] === song ? graph.second[edge] : graph.first[edge]);
const scale = () => (Math.min(width, height) / 2 / reach) * view.zoom;
const place = (song) => [
  width / 2 + (graph.x[song] - view.x) * scale(), height / 2 - (graph.y[song] - view.y) * scale(),
];
const base = N_SONGS > 1000 ? 2 : 4;
const radius = (song) => (base + base * Math.sqrt(graph.strengths[song] / strongest)) * Math.min(2, Math.sqrt(view.zoom));
const colour = (song) => graph.communities[graph.labels[song]].colour;
const isDim = (song) => community >= 0 && graph.labels[song] !== community;

// ── drawing ──
function line(edge) {
  context.moveTo(...place(graph.first[edge]));
  context.lineTo(...place(graph.second[edge]));
}
function drawText(text, x, y, style) {
  context.strokeStyle = style.getPropertyValue("--surface");
  context.lineWidth = 4;
  context.fillStyle = style.getPropertyValue("--text");
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}
function draw() {
  const style = getComputedStyle(document.documentElement);
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.lineWidth = 1;
  context.strokeStyle = style.getPropertyValue("--edge");
  context.beginPath();
  graph.first.forEach((one, edge) => { if (!isDim(one) && !isDim(graph.second[edge])) line(edge); });
  context.stroke();
  const shown = hovered >= 0 ? hovered : chosen;
  if (shown >= 0) {
    context.strokeStyle = style.getPropertyValue("--strong");
    for (const edge of edgesOf[shown]) {
      context.lineWidth = 1 + 2 * Math.min(1, graph.weights[edge]);
      context.beginPath();
      line(edge);
      context.stroke();
    }
  }
  for (let song = 0; song < N_SONGS; song += 1) {
    context.globalAlpha = isDim(song) ? 0.12 : 1;
    context.fillStyle = colour(song);
    context.beginPath();
    context.arc(...place(song), radius(song), 0, 2 * Math.PI);
    context.fill();
  }
  context.globalAlpha = 1;
  if (shown >= 0) {
    context.lineWidth = 2;
    context.strokeStyle = style.getPropertyValue("--text");
    context.beginPath();
    context.arc(...place(shown), radius(shown) + 3, 0, 2 * Math.PI);
    context.stroke();
  }
  context.font = "600 13px system-ui, sans-serif";
  context.textAlign = "center";
  context.lineJoin = "round";
  const taken = [];
  for (const [label, [x, y, offset]] of [...places].sort(([a], [b]) => a - b)) {
    if (community >= 0 ? community !== label : label >= graph.nColoured && view.zoom < ZOOM_NAMES) continue;
    const middle = width / 2 + (x - view.x) * scale();
    const top = Math.max(16, Math.min(height - 8, height / 2 - (y - view.y) * scale() + offset));
    if (middle < 0 || middle > width) continue;
    for (const text of [graph.communities[label].name, String(label + 1)]) { // the number alone where there is no room
      const half = context.measureText(text).width / 2 + 6;
      const left = Math.max(half, Math.min(width - half, middle));
      const isFree = taken.every((one) => Math.abs(one.left - left) > one.half + half || Math.abs(one.top - top) > 17);
      if (!isFree) continue;
      taken.push({ left, top, half });
      drawText(text, left, top, style);
      break;
    }
  }
}
const places = new Map(); // of names: beyond the songs of a community, away from the middle, so that they hide few songs
const songsOf = new Map();
graph.labels.forEach((label, song) => {
  if (!songsOf.has(label)) songsOf.set(label, []);
  songsOf.get(label).push(song);
});
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const middleOfAll = mean(graph.y);
for (const [label, songs] of songsOf) {
  const heights = songs.map((song) => graph.y[song]);
  const isAbove = mean(heights) >= middleOfAll;
  const edge = heights.reduce((one, other) => (isAbove ? Math.max(one, other) : Math.min(one, other)));
  places.set(label, [mean(songs.map((song) => graph.x[song])), edge, isAbove ? -14 : 22]);
}
let isPending = false;
function redraw() {
  if (isPending) return;
  isPending = true;
  requestAnimationFrame(() => { isPending = false; draw(); });
}
function resize() {
  ({ width, height } = canvas.getBoundingClientRect());
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  draw();
}

// ── the view ──
function zoom(factor, [x, y] = [width / 2, height / 2]) {
  const before = scale();
  view.zoom = Math.max(0.5, Math.min(40, view.zoom * factor));
  view.x += (x - width / 2) * (1 / before - 1 / scale());
  view.y -= (y - height / 2) * (1 / before - 1 / scale());
  redraw();
}
function pan(x, y) {
  view.x -= x / scale();
  view.y += y / scale();
  redraw();
}
function whole() {
  Object.assign(view, { x: 0, y: 0, zoom: 1 });
  redraw();
}
function nearest(x, y) {
  let [best, least] = [-1, 14];
  for (let song = 0; song < N_SONGS; song += 1) {
    const [left, top] = place(song);
    const distance = Math.hypot(left - x, top - y);
    if (distance < least && !isDim(song)) [best, least] = [song, distance];
  }
  return best;
}
const at = (event) => {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};
function hover(song) {
  hovered = song;
  const label = byId("hover");
  label.hidden = song < 0;
  if (song >= 0) {
    label.textContent = name(song);
    const [x, y] = place(song);
    label.style.left = `${Math.max(4, Math.min(x + 12, width - label.offsetWidth - 4))}px`;
    label.style.top = `${Math.max(4, Math.min(y + 12, height - label.offsetHeight - 4))}px`;
  }
  redraw();
}
const pointers = new Map();
let moved = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at(event));
  if (pointers.size === 1) moved = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const now = at(event);
  const before = pointers.get(event.pointerId);
  if (!before) { hover(nearest(...now)); return; }
  if (pointers.size === 2) {
    const [still] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, one]) => one);
    const apart = (one) => Math.max(1, Math.hypot(one[0] - still[0], one[1] - still[1]));
    zoom(apart(now) / apart(before), [(now[0] + still[0]) / 2, (now[1] + still[1]) / 2]);
    moved = Infinity;
  } else {
    pan(now[0] - before[0], now[1] - before[1]);
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
  }
  pointers.set(event.pointerId, now);
});
canvas.addEventListener("pointerup", (event) => {
  pointers.delete(event.pointerId);
  if (moved < 5) choose(nearest(...at(event)), false);
});
canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY / 400), at(event));
}, { passive: false });
const keys = {
  ArrowLeft: () => pan(40, 0), ArrowRight: () => pan(-40, 0), ArrowUp: () => pan(0, 40), ArrowDown: () => pan(0, -40),
  "+": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: whole, Escape: () => choose(-1, false),
};
canvas.addEventListener("keydown", (event) => {
  if (!Object.hasOwn(keys, event.key)) return;
  keys[event.key]();
  event.preventDefault();
});
byId("nearer").addEventListener("click", () => zoom(1.4));
byId("farther").addEventListener("click", () => zoom(1 / 1.4));
byId("whole").addEventListener("click", whole);

// ── one song ──
function element(tag, text, parent) {
  const made = document.createElement(tag);
  made.textContent = text;
  made.dir = "auto";
  parent.append(made);
  return made;
}
function choose(song, isMoved) {
  chosen = song;
  const card = byId("card");
  card.replaceChildren();
  if (song < 0) {
    element("p", "Click a song to see the songs that share most playlists with it.", card).className = "muted";
    redraw();
    return;
  }
  if (community >= 0 && graph.labels[song] !== community) show(-1);
  if (isMoved) {
    Object.assign(view, { x: graph.x[song], y: graph.y[song], zoom: Math.max(view.zoom, 2) });
    hover(-1);
  }
  element("h2", name(song), card);
  const lists = `${graph.nPlaylists[song]} playlist${graph.nPlaylists[song] === 1 ? "" : "s"}`;
  const about = [graph.genres[song], `in ${lists}`, `community ${graph.communities[graph.labels[song]].name}`];
  element("p", about.join(" · "), card).className = "muted";
  element("p", "Shares most playlists with, strongest first:", card);
  const list = element("ol", "", card);
  const near = [...edgesOf[song]].sort((a, b) => graph.weights[b] - graph.weights[a]).slice(0, 10);
  for (const edge of near) {
    const button = element("button", name(other(edge, song)), element("li", "", list));
    button.addEventListener("click", () => choose(other(edge, song), true));
  }
  redraw();
}

// ── communities ──
function show(label) {
  community = label;
  for (const button of document.querySelectorAll(".legend button")) button.setAttribute("aria-pressed", +button.dataset.label === label);
  redraw();
}
const smaller = byId("smaller");
const nSmaller = graph.communities.length - graph.nColoured;
smaller.hidden = nSmaller <= 0;
smaller.querySelector("summary").textContent = `${nSmaller.toLocaleString("en")} smaller ${nSmaller === 1 ? "community" : "communities"}`;
graph.communities.forEach((one, label) => {
  const button = element("button", "", label < graph.nColoured ? byId("legend") : smaller.querySelector("div"));
  button.dataset.label = label;
  button.setAttribute("aria-pressed", "false");
  element("i", "", button).style.background = one.colour;
  element("b", one.name, button);
  element("small", one.line, button);
  button.addEventListener("click", () => show(community === label ? -1 : label));
});

// ── search ──
const search = byId("search");
const found = byId("found");
let selected = -1;
function select(place) {
  selected = place;
  [...found.children].forEach((one, number) => one.setAttribute("aria-selected", number === place));
  if (place >= 0) search.setAttribute("aria-activedescendant", found.children[place].id);
  else search.removeAttribute("aria-activedescendant");
  found.children[place]?.scrollIntoView({ block: "nearest" });
}
function close() {
  found.hidden = true;
  search.setAttribute("aria-expanded", "false");
  select(-1);
}
search.addEventListener("input", () => {
  found.replaceChildren();
  const words = plain(search.value).split(/\s+/).filter(Boolean);
  if (!words.length) { close(); return; }
  const songs = names.flatMap((text, song) => (words.every((word) => text.includes(word)) ? [song] : [])).slice(0, MAX_FOUND);
  for (const song of songs) {
    const option = element("div", name(song), found);
    option.id = `song-${song}`;
    option.setAttribute("role", "option");
    option.addEventListener("click", () => { close(); choose(song, true); });
  }
  if (!songs.length) element("div", "No song in the graph is called so.", found);
  found.hidden = false;
  search.setAttribute("aria-expanded", "true");
  select(songs.length ? 0 : -1);
});
search.addEventListener("keydown", (event) => {
  const number = found.querySelectorAll("[role=option]").length;
  if (event.key === "Escape") close();
  else if (event.key === "Enter" && selected >= 0) found.children[selected].click();
  else if (event.key === "ArrowDown" && number) select((selected + 1) % number);
  else if (event.key === "ArrowUp" && number) select((selected + number - 1) % number);
  else return;
  event.preventDefault();
});
document.addEventListener("click", (event) => { if (!event.target.closest(".search")) close(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new ResizeObserver(resize).observe(canvas);
resize();
performance.mark("ready");
