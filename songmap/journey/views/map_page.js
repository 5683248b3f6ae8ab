// What is around the points: legend, cards, lists, search. Names from files and tags only ever become text nodes.
const hover = byId("hover");
const spot = byId("spot");
const search = byId("search");
const found = byId("found");
const LISTED = 200;
const FOUND = 50;

function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
const named = (text, attributes = {}) => node("span", { dir: "auto", title: text, ...attributes }, text);
const muted = (...content) => node("p", { class: "muted", dir: "auto" }, ...content);
const swatch = (colour, marker) => node("span", { class: `swatch ${marker}`, style: `background:${colour}` });
const names = (row, second) => node("span", { class: "names" }, named(title(row)), named(second, { class: "muted" }));

// ── the legend is the filter ──
function showLegend() {
  const colouring = current();
  const legend = colouring.kind === "number" ? rangeLegend : categoryLegend;
  byId("legend").replaceChildren(...legend(colouring));
  byId("meaning").hidden = colouring.kind !== "cluster";
}
function chip(colouring, item, [colour, marker], text, count, ...more) {
  const button = node("button", { "aria-pressed": !colouring.hidden.has(item), click: () => {
    if (!colouring.hidden.delete(item)) colouring.hidden.add(item);
    button.setAttribute("aria-pressed", !colouring.hidden.has(item));
    draw();
  } }, swatch(colour, marker), named(text), node("span", { class: "muted" }, String(count)));
  return node("span", { class: "chip" }, button, ...more);
}
function categoryLegend(colouring) {
  return colouring.table.map((text, i) => {
    const only = node("button", { class: "only", "aria-label": `Show only ${category(text)}`, click: () => {
      colouring.hidden = new Set(colouring.table.keys());
      colouring.hidden.delete(i);
      showLegend();
      byId("legend").querySelectorAll(".only")[i].focus();
      draw();
    } }, "only");
    const mark = [colouring.colours[i], colouring.markers[i]];
    return chip(colouring, i, mark, category(text), colouring.counts[i], only);
  });
}
function rangeLegend(colouring) {
  const most = Math.max(...colouring.counts);
  const bars = [...colouring.counts].map((count, i) => {
    const height = count ? Math.max(4, (100 * count) / most) : 0;
    return node("i", { style: `height:${height}%;background:${mixed((i + 0.5) / colouring.bins)}` });
  });
  const label = node("output", { class: "range" });
  const digits = colouring.whole ? 0 : Math.max(0, Math.min(6, -Math.floor(Math.log10(colouring.step))));
  const edge = (bin) => colouring.low + colouring.step * bin;
  function update() {
    const { from, to, bins, least, whole } = colouring;
    const ends = [from ? edge(from) : least, to < bins - 1 ? edge(to + 1) - (whole ? 1 : 0) : colouring.most];
    label.textContent = `${ends.map((end) => end.toFixed(digits)).join(" – ")} ${colouring.unit}`;
    bars.forEach((bar, i) => bar.classList.toggle("out", i < from || i > to));
  }
  const handle = (end, text) => node("input", {
    type: "range", min: 0, max: colouring.bins - 1, value: colouring[end], "aria-label": `${text} ${colouring.name}`,
    input: ({ target }) => {
      colouring[end] = end === "from" ? Math.min(+target.value, colouring.to) : Math.max(+target.value, colouring.from);
      target.value = colouring[end];
      update();
    },
    change: draw,
  });
  update();
  const handles = [handle("from", "Minimum"), handle("to", "Maximum")];
  const range = node("div", { class: "histogram" }, node("div", { class: "bars" }, ...bars), ...handles, label);
  const unknown = chip(colouring, -1, [tone("--faint"), "circle"], "unknown", colouring.unknown);
  return [...(colouring.unknown < N ? [range] : []), ...(colouring.unknown ? [unknown] : [])];
}

// ── one song ──
let plays = true;

function choose(row) {
  stopQueue();
  const inPanel = byId("panel").contains(document.activeElement);
  chosen.song = row;
  showSong();
  if (inPanel) byId("panel").querySelector("h2").focus(); // the pressed button no longer exists
  if (row !== null) bringIntoView(row);
  if (plays) byId("card").querySelector("audio")?.play().catch(() => {}); // the error event of its source shows the note
  return draw();
}
function player(row) {
  const source = node("source", { src: address(row) });
  const note = node("p", { class: "note", hidden: "" },
    "The browser cannot play this file: it is missing or its format is not supported. ",
    node("a", { href: source.src }, "Open the file"));
  source.addEventListener("error", () => { note.hidden = false; });
  const atOnce = node("input", { type: "checkbox", change: ({ target }) => { plays = target.checked; } });
  atOnce.checked = plays;
  return [
    node("audio", { controls: "", preload: "metadata", "aria-label": `Play ${title(row)}` }, source), note,
    node("label", { class: "muted" }, atOnce, " play a song when I choose it"),
    node("p", { class: "path muted" }, path(row)),
  ];
}
function valuesOf(row) {
  return colourings.filter(({ kind }) => kind !== "genre").map((colouring) => {
    const { kind, values, table, index, unit, name } = prepared(colouring);
    const number = (value) => (Number.isFinite(value) ? `${Number(value.toPrecision(4))} ${unit}` : "unknown");
    const text = kind === "number" ? number(values[row]) : category(table[index[row]]);
    return [node("dt", {}, name), node("dd", { dir: "auto" }, text)];
  }).flat();
}
function allValues(row) {
  const list = node("dl");
  const fill = () => list.replaceChildren(...valuesOf(row));
  return node("details", { toggle: fill }, node("summary", {}, "All attributes"), list);
}
function showPassing(rows) { // songs of a selection that the filter hides are dim in its list too
  for (const button of document.querySelectorAll("#selection .song"))
    button.classList.toggle("dim", !rows.has(+button.dataset.row));
  const note = byId("selection").querySelector(".filtered");
  if (!note) return;
  const hidden = chosen.selection.filter((row) => !rows.has(row)).length;
  note.hidden = !hidden;
  note.textContent = `The filter hides ${hidden} of them: they are not played or saved.`;
}
function listed(row, detail, ...more) {
  const [point, leave] = [() => showPlace(row), hideHover];
  const handlers = { click: () => choose(row), mouseenter: point, focus: point, mouseleave: leave, blur: leave };
  const content = [swatch(...look(row)), names(row, artist(row)), detail];
  return node("li", {}, node("button", { class: "song", "data-row": row, ...handlers }, ...content), ...more);
}
function exportsOf(given, file) { // of the songs that a function returns when a button is pressed
  const button = (text, suffix, type, content) =>
    node("button", { click: () => save(`${file}.${suffix}`, type, content(given())) }, text);
  const asPlaylist = button("Save playlist (M3U8)", "m3u8", "audio/x-mpegurl", playlist);
  return node("p", { class: "exports" }, asPlaylist, button("Save table (CSV)", "csv", "text/csv", csv));
}
function save(file, type, text) {
  const href = URL.createObjectURL(new Blob(fileBytes(text), { type }));
  node("a", { href, download: file.replace(/[\\/:*?"<>|\u0000-\u001f]/g, "_") }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}
const closing = (text, click) => node("button", { class: "close", "aria-label": text, title: text, click }, "×");

function showSong() {
  const [card, row] = [byId("card"), chosen.song];
  hideHover();
  card.querySelector("audio")?.pause();
  card.replaceChildren(...(row !== null ? songCard(row) : chosen.selection.length ? [] : invitation()));
}
function invitation() {
  return [
    node("h2", { tabindex: -1 }, "Choose a song"),
    muted("Hover over a point to see its song. Click it, or find it by name: it plays, and its nearest songs ",
      `are listed and connected by lines (similarity of ${data.comparedBy}).`),
    muted(IN_SPACE
      ? "Drag to rotate, scroll to zoom. The 3D map has no lasso: search by name, artist or genre "
        + "and select all results, or use the flat map."
      : "Draw a box or a lasso around songs, or a path from song to song, to play them or to save them as a playlist "
        + "or a table. Zoom in to see their names."),
    muted(`On the map, the arrow keys ${IN_SPACE ? "rotate it" : "go from song to song"}; Esc clears the selection.`),
  ];
}
function why(row, other) { // what each family adds to their similarity, as bars to the right or, below 0, to the left
  const added = contributions(row, other);
  const most = Math.max(...added.map(Math.abs), 1e-6);
  const bar = (value, family) => {
    const width = (50 * Math.abs(value)) / most;
    const left = value < 0 ? 50 - width : 50;
    return node("li", {}, node("span", {}, FAMILIES[family]), node("span", { class: "track" },
      node("i", { style: `left:${left}%;width:${width}%;background:${data.families.colours[family]}` })),
    node("span", {}, value.toFixed(2).replace(/^-(?=0\.00$)/, "")));
  };
  return node("ul", { class: "families", "aria-label": "What each family of descriptors adds" }, ...added.map(bar));
}
function whyButton(row, other) {
  const button = node("button", { class: "why", "aria-expanded": false, "aria-label": `Why is ${title(other)} similar?`, click: () => {
    const item = button.parentElement;
    const shown = item.querySelector(".families");
    if (shown) shown.remove();
    else item.append(why(row, other));
    button.setAttribute("aria-expanded", !shown);
  } }, "why");
  return button;
}
function familyChoice() {
  if (data.spaceOption) return muted("Vectors of a network do not split into families; the maps of 02 without --space do.");
  if (!FAMILIES.length) return muted("Of so many songs this page does not list neighbours by family; 04 explains pairs of songs, see 04 why --help.");
  const options = [["all descriptors", ALL], ...FAMILIES.map((name, family) => [name, family])].map(([name, family]) =>
    node("option", { value: family, ...(family === chosen.family ? { selected: "" } : {}) }, name));
  return node("label", { class: "muted" }, "Similar by ", node("select", { id: "family", change: ({ target }) => {
    chosen.family = +target.value;
    byId("near").replaceChildren(...nearList(chosen.song));
    draw();
  } }, ...options));
}
function nearList(row) {
  const similar = (similarity) =>
    node("span", { class: "similarity", style: `--share:${Math.max(0, similarity)}` }, similarity.toFixed(2));
  const about = chosen.family === ALL
    ? `Cosine similarity of ${data.comparedBy}, −1 to 1 (most similar), not distance on the map. `
      + `04${data.spaceOption} lists the same songs, at most two of an artist.`
    : `Cosine similarity of the ${data.families.sizes[chosen.family]} descriptors of ${FAMILIES[chosen.family]} alone, −1 to 1.`;
  const near = similarTo(row, chosen.family);
  const items = near.map(([other, similarity]) => listed(other, similar(similarity), ...(FAMILIES.length ? [whyButton(row, other)] : [])));
  return [muted(about), node("ol", { class: "songs" }, ...items)];
}
function songCard(row) {
  const near = nearest(row);
  const album = [of("albums", row), year(row)].filter(Boolean).join(" · ");
  return [
    closing("Close this song", () => choose(null)), node("h2", { tabindex: -1, dir: "auto" }, title(row)),
    node("p", { class: "by", dir: "auto" }, artist(row)), muted(album),
    node("p", { class: "facts" }, ...facts(row).map((fact) => named(fact))),
    ...player(row), allValues(row),
    node("h3", {}, ["No other songs", "The nearest song"][near.length] ?? `The ${near.length} nearest songs`),
    ...(near.length ? [familyChoice()] : []), node("div", { id: "near" }, ...nearList(row)),
    exportsOf(() => [row, ...nearest(row)], `similar to ${title(row)}`),
  ];
}

// ── several songs ──
function select(rows, by, isPath = false) {
  const selection = isPath ? rows : [...new Set(rows)].sort((a, b) => a - b);
  stopQueue();
  Object.assign(chosen, { song: null, selection, by, isPath });
  showSong();
  byId("selection").replaceChildren(...(rows.length ? selectionList(chosen.selection) : []));
  return draw();
}
function selectionList(rows) {
  const counts = new Map();
  for (const row of rows) counts.set(data.genres.index[row], (counts.get(data.genres.index[row]) ?? 0) + 1);
  const ordered = [...counts].sort((a, b) => b[1] - a[1]);
  const shares = ordered.map(([index, count]) => {
    const colour = data.genres.colours[index];
    const bar = node("i", { style: `width:${(100 * count) / ordered[0][1]}%;background:${colour}` });
    const label = [swatch(colour, data.genres.markers[index]), named(category(data.genres.table[index]))];
    return node("li", {}, ...label, node("span", {}, bar), String(count));
  });
  const length = (row) => node("span", { class: "muted" }, clock(data.durations_s[row]));
  const rest = rows.length - LISTED;
  const shown = () => { // those that the filter lets through
    const passing = new Set(visible());
    return rows.filter((row) => passing.has(row));
  };
  return [
    closing("Clear the selection", () => { select([], ""); byId("card").querySelector("h2").focus(); }),
    node("h2", { tabindex: -1 }, `${songs(rows.length)} selected`), muted(chosen.by),
    node("p", { class: "filtered note", hidden: "" }), ...queue(shown), exportsOf(shown, "selected songs"),
    node("ul", { class: "shares" }, ...shares),
    node(chosen.isPath ? "ol" : "ul", { class: "songs" }, ...rows.slice(0, LISTED).map((row) => listed(row, length(row)))),
    ...(rest > 0 ? [muted(`and ${songs(rest)} more; the exports contain all.`)] : []),
  ];
}

// ── search ──
let active = -1;

function activate(index) {
  const options = [...found.children];
  active = options.length ? (index + options.length) % options.length : -1;
  options.forEach((option, i) => option.setAttribute("aria-selected", i === active));
  search.setAttribute("aria-activedescendant", options[active]?.id ?? "");
  options[active]?.scrollIntoView({ block: "nearest" });
}
function option(action, ...content) {
  const click = () => { closeFound(); action(); };
  const mousedown = (event) => event.preventDefault(); // the box keeps the focus
  return node("div", { role: "option", click, mousedown }, ...content);
}
function showFound() {
  const query = search.value.trim();
  const exact = find(query);
  const rows = exact.length || !query ? exact : findNearly(query);
  const options = rows.slice(0, FOUND).map((row) => {
    const about = [of("artists", row), of("albums", row), genre(row)].filter(Boolean).join(" · ");
    return option(() => choose(row), swatch(...look(row)), names(row, about));
  });
  const all = node("b", {}, `Select all ${songs(rows.length)} found`);
  if (rows.length > exact.length) options.unshift(option(() => {}, muted(`No “${query}”; similar words:`)));
  if (rows.length) options.push(option(() => select(rows, `Found by “${query}”`), all));
  else if (query) options.push(option(() => {}, muted("No song has all of these words.")));
  options.forEach((one, i) => { one.id = `found-${i}`; });
  found.replaceChildren(...options);
  found.hidden = !options.length;
  search.setAttribute("aria-expanded", !found.hidden);
  activate(rows.length > exact.length ? 1 : 0);
}
function closeFound() {
  found.hidden = true;
  search.setAttribute("aria-expanded", false);
  search.setAttribute("aria-activedescendant", "");
}
const SEARCH_KEYS = {
  ArrowDown: () => activate(active + 1),
  ArrowUp: () => activate(active - 1),
  Enter: () => (found.hidden ? showFound() : found.children[active]?.click()),
  Escape: () => { if (found.hidden) search.value = ""; closeFound(); },
};
search.addEventListener("input", showFound);
search.addEventListener("blur", closeFound);
search.addEventListener("keydown", (event) => {
  if (!Object.hasOwn(SEARCH_KEYS, event.key)) return;
  event.preventDefault();
  event.stopPropagation();
  SEARCH_KEYS[event.key]();
});

// ── pointing ──
let pointer = [0, 0];
map.addEventListener("pointermove", ({ clientX, clientY }) => {
  const { left, top } = map.getBoundingClientRect();
  pointer = [clientX - left, clientY - top];
}, true);
function hideHover() {
  hover.hidden = spot.hidden = true;
}
function showHover(row, [x, y]) {
  hover.replaceChildren(node("b", { dir: "auto" }, title(row)), node("span", { dir: "auto" }, artist(row)),
    node("span", { class: "muted facts" }, ...facts(row).map((fact) => node("span", { dir: "auto" }, fact))));
  hover.hidden = false;
  const fits = x + 18 + hover.offsetWidth < map.clientWidth;
  hover.style.left = `${fits ? x + 18 : Math.max(0, x - 18 - hover.offsetWidth)}px`;
  hover.style.top = `${map.offsetTop + Math.max(0, Math.min(map.clientHeight - hover.offsetHeight, y + 14))}px`;
}
function showPlace(row) { // of a song in a list
  const place = IN_SPACE ? null : pixels(row);
  if (!place) return;
  [spot.style.left, spot.style.top] = [`${place[0]}px`, `${map.offsetTop + place[1]}px`];
  spot.hidden = false;
  showHover(row, place);
}

// ── putting it together ──
byId("colouring").append(...colourings.map(({ name }, i) => node("option", { value: i }, name)));
byId("colouring").addEventListener("change", ({ target }) => {
  chosen.colouring = +target.value;
  showLegend();
  for (const button of document.querySelectorAll(".song"))
    button.firstChild.replaceWith(swatch(...look(+button.dataset.row)));
  draw();
});
byId("all").addEventListener("click", () => { showAll(); showLegend(); draw(); });
byId("nearer").addEventListener("click", () => zoom(0.7));
byId("farther").addEventListener("click", () => zoom(1 / 0.7));
byId("whole").addEventListener("click", wholeMap);
if (!IN_SPACE) {
  for (const [mode, text] of [["pan", "Move"], ["select", "Box"], ["lasso", "Lasso"], ["drawopenpath", "Path"]]) {
    byId("modes").append(node("button", { "aria-pressed": mode === "pan", click: ({ target }) => {
      for (const button of byId("modes").children) button.setAttribute("aria-pressed", button === target);
      Plotly.relayout(map, { dragmode: mode });
    } }, text));
  }
}
map.setAttribute("aria-label", `Map of ${songs(N)}. Arrow keys ${IN_SPACE ? "rotate it" : "go from song to song"}.`);
map.addEventListener("keydown", (event) => {
  const direction = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (!direction) return;
  event.preventDefault();
  if (IN_SPACE) turn(...direction);
  else choose(songTowards(...direction) ?? chosen.song);
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  if (chosen.song !== null) choose(null);
  else if (chosen.selection.length) select([], "");
});
dark.addEventListener("change", () => {
  showLegend();
  draw();
});

showLegend();
showSong();
draw().then(() => {
  const rowOf = (point) => point?.data.rows?.[point.pointNumber];
  const onSong = (act) => ({ points: [point] }) => rowOf(point) !== undefined && act(rowOf(point));
  map.on("plotly_hover", onSong((row) => showHover(row, pointer)));
  map.on("plotly_unhover", hideHover);
  map.on("plotly_click", onSong(choose));
  map.on("plotly_selected", (event) => {
    const rows = (event?.points ?? []).map(rowOf).filter((row) => row !== undefined);
    if (rows.length) setTimeout(() => select(rows, "Selected on the map")); // when plotly has finished with it
  });
  map.on("plotly_relayouting", hideLabels);
  map.on("plotly_relayout", ({ shapes }) => {
    const drawn = shapes?.at(-1)?.path;
    if (drawn) setTimeout(() => select(alongPath(drawn), "Near the path, in its order", true));
    else showLabels();
  });
  performance.mark("ready");
});
