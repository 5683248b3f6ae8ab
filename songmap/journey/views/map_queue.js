// A path drawn on the map becomes an order of songs, and songs in an order are played one after the other.
const MOST_STOPS = 30; // songs of a path
const NEAR = 0.04; // of the map's height: a song farther from the line is not on the path

function alongPath(svgPath) { // songs near a drawn line, in its order; one for each equal part of its length
  const numbers = svgPath.match(/-?[\d.]+(?:e[-+]?\d+)?/gi).map(Number);
  const corners = [];
  for (let i = 0; i + 1 < numbers.length; i += 2) corners.push([numbers[i], numbers[i + 1]]);
  const lengths = corners.slice(1).map(([x, y], i) => Math.hypot(x - corners[i][0], y - corners[i][1]));
  const whole = lengths.reduce((sum, length) => sum + length, 0) || 1;
  const [low, high] = ranges()[1];
  const best = new Map(); // the nearest song of each part
  for (const row of visible()) {
    const [x, y] = data.coordinates.map((axis) => axis[row]);
    let [distance, at, before] = [Infinity, 0, 0];
    lengths.forEach((length, i) => {
      const [fromX, fromY] = corners[i];
      const [toX, toY] = corners[i + 1];
      const share = length ? ((x - fromX) * (toX - fromX) + (y - fromY) * (toY - fromY)) / length ** 2 : 0;
      const inside = Math.max(0, Math.min(1, share));
      const away = Math.hypot(fromX + inside * (toX - fromX) - x, fromY + inside * (toY - fromY) - y);
      if (away < distance) [distance, at] = [away, before + inside * length];
      before += length;
    });
    if (distance > NEAR * (high - low)) continue;
    const part = Math.min(MOST_STOPS - 1, Math.floor((MOST_STOPS * at) / whole));
    if (distance < (best.get(part)?.distance ?? Infinity)) best.set(part, { row, distance, at });
  }
  return [...best.values()].sort((one, two) => one.at - two.at).map(({ row }) => row);
}

let inQueue = null; // the song that a queue plays
function queue(given) { // a player of songs one after the other; `given` returns those that the filter lets through
  const audio = node("audio", { controls: "", hidden: "", preload: "none", "aria-label": "Play the selected songs" });
  const about = node("p", { class: "muted", role: "status", dir: "auto" });
  let [rows, place] = [[], 0];
  function play(next) {
    place = next;
    inQueue = rows[place] ?? null;
    audio.hidden = following.hidden = inQueue === null;
    about.textContent = inQueue === null ? "" : `${place + 1} of ${rows.length}: ${title(inQueue)} – ${artist(inQueue)}`;
    for (const button of document.querySelectorAll("#selection .song"))
      button.toggleAttribute("aria-current", +button.dataset.row === inQueue);
    draw();
    if (inQueue === null) return audio.pause();
    byId("card").querySelector("audio")?.pause();
    audio.src = address(inQueue);
    return audio.play().catch(() => {}); // the error event goes on to the next song
  }
  const following = node("button", { hidden: "", click: () => play(place + 1) }, "Next song");
  audio.addEventListener("ended", () => play(place + 1));
  audio.addEventListener("error", () => {
    const unplayed = title(inQueue);
    play(place + 1);
    about.textContent = `“${unplayed}” cannot be played here. ${about.textContent}`;
  });
  const start = node("button", { click: () => { rows = given(); play(0); } }, "Play in order");
  return [node("p", { class: "exports" }, start, following), about, audio];
}
function stopQueue() {
  inQueue = null;
  byId("selection").querySelector("audio")?.pause();
}
