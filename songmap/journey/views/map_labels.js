// Names on the map: of songs where one has zoomed in, of clusters when they are its colours. Text nodes above plotly's points.
const labels = byId("labels");
const MOST_NAMED = 60; // songs in view; more would cover each other
const ZOOMED = 0.6; // of the map's width, at most, that is then in view
const LONGEST = 26; // characters
const measure = document.createElement("canvas").getContext("2d");

function namedSongs(rows) {
  const [low, high] = ranges()[0];
  const inView = rows.filter((row) => pixels(row));
  const zoomed = high - low < ZOOMED * (data.limits[0][1] - data.limits[0][0]);
  const wanted = zoomed && inView.length <= MOST_NAMED ? inView : [];
  const first = chosen.song === null ? [] : [chosen.song, ...nearest(chosen.song).filter((row) => rows.includes(row))];
  return [...new Set([...first, ...wanted])].map((row) => ({ text: title(row), place: pixels(row) }));
}
function namedClusters(rows) {
  const { kind, table, index } = current();
  if (kind !== "cluster") return [];
  const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return table.map((text, cluster) => {
    const own = rows.filter((row) => index[row] === cluster);
    const at = data.coordinates.map((axis) => middle(own.map((row) => axis[row])));
    return { text, place: own.length ? pixelsAt(at) : null, centred: true };
  });
}
function showLabels() {
  if (IN_SPACE) return;
  const rows = visible();
  const taken = [];
  const shown = [];
  const wanted = [...namedSongs(rows), ...namedClusters(rows)].filter(({ place }) => place);
  const font = `12px ${getComputedStyle(labels).fontFamily}`;
  for (const { text: whole, place: [x, y], centred } of wanted) {
    const text = whole.length > LONGEST && !centred ? `${whole.slice(0, LONGEST - 1).trimEnd()}…` : whole;
    measure.font = centred ? `600 ${font}` : font;
    const width = measure.measureText(text).width + 8;
    const gap = SIZE / 2 + 4;
    const middle = Math.max(2, Math.min(map.clientWidth - width - 2, x - width / 2));
    const places = centred // clusters get a line above or below where another is in the way
      ? [0, 18, -18, 36, -36].map((down) => [middle, y + down])
      : [[x + gap, y], [x - gap - width, y]];
    const boxes = places.map(([left, at]) => ({ left, right: left + width, top: at - 8, bottom: at + 8 }));
    const box = boxes.find(({ left, right, top, bottom }) => left >= 0 && right <= map.clientWidth
      && !taken.some((other) => left < other.right && right > other.left && top < other.bottom && bottom > other.top));
    if (!box) continue;
    taken.push(box);
    shown.push(node("span", { dir: "auto", class: centred ? "cluster" : "", style: `left:${box.left}px;top:${box.top}px` }, text));
  }
  labels.style.top = `${map.offsetTop}px`;
  labels.replaceChildren(...shown);
}
const hideLabels = () => labels.replaceChildren();
