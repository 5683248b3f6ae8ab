// The playing position on the timeline, and the one player of the library's songs and moments.
const byId = (id) => document.getElementById(id);
const recording = byId("recording");
const library = byId("library");
const timeline = byId("timeline");
const DURATION_S = +timeline.dataset.duration;
const STEP_S = 5;
const PAGE_S = Math.max(STEP_S, DURATION_S / 10);

function clock(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
const play = (audio) => audio.play().catch(() => {}); // its error event shows the note

for (const note of document.querySelectorAll("[data-of]")) {
  const audio = byId(note.dataset.of);
  audio.addEventListener("error", () => {
    note.querySelector("a").href = audio.src;
    note.hidden = false;
  });
  audio.addEventListener("loadedmetadata", () => { note.hidden = true; });
}

// ── the recording ──
function showPosition() {
  const now = Math.min(recording.currentTime, DURATION_S);
  byId("position").style.left = `${(100 * now) / DURATION_S}%`;
  timeline.setAttribute("aria-valuenow", Math.round(now));
  timeline.setAttribute("aria-valuetext", clock(now));
  for (const part of document.querySelectorAll(".parts > li"))
    part.classList.toggle("current", now >= +part.dataset.start && now < +part.dataset.end);
}
function follow() {
  showPosition();
  if (!recording.paused) requestAnimationFrame(follow);
}
function seek(seconds) {
  recording.currentTime = Math.max(0, Math.min(seconds, DURATION_S));
  showPosition();
}
if (recording) {
  const area = timeline.querySelector(".stack");
  const pointed = byId("pointed");
  const timeAt = ({ clientX }) => {
    const { left, width } = area.getBoundingClientRect();
    return (DURATION_S * Math.max(0, Math.min(clientX - left, width))) / width;
  };
  for (const place of timeline.querySelectorAll(".stack, .strip")) {
    place.addEventListener("click", (event) => { seek(timeAt(event)); play(recording); });
    place.addEventListener("pointermove", (event) => {
      const time = timeAt(event);
      pointed.hidden = false;
      pointed.textContent = clock(time);
      pointed.style.left = `${Math.max(4, Math.min(96, (100 * time) / DURATION_S))}%`;
    });
    place.addEventListener("pointerleave", () => { pointed.hidden = true; });
  }
  const keys = {
    ArrowRight: (now) => now + STEP_S, ArrowUp: (now) => now + STEP_S, ArrowLeft: (now) => now - STEP_S,
    ArrowDown: (now) => now - STEP_S, PageUp: (now) => now + PAGE_S, PageDown: (now) => now - PAGE_S,
    Home: () => 0, End: () => DURATION_S,
  };
  timeline.addEventListener("keydown", (event) => {
    if (event.key === " " || event.key === "Enter") {
      if (recording.paused) play(recording);
      else recording.pause();
    } else if (Object.hasOwn(keys, event.key)) seek(keys[event.key](recording.currentTime));
    else return;
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-seek]"))
    button.addEventListener("click", () => { seek(+button.dataset.seek); play(recording); });
  recording.addEventListener("play", () => { library.pause(); follow(); });
  for (const event of ["timeupdate", "seeked", "loadedmetadata"]) recording.addEventListener(event, showPosition);
  showPosition();
}

// ── songs and moments of the library ──
let chosen = null;
const end = () => +(chosen?.dataset.end || Infinity);

function showChosen() {
  for (const button of document.querySelectorAll(".play"))
    button.setAttribute("aria-pressed", button === chosen && !library.paused);
}
for (const button of document.querySelectorAll(".play")) {
  button.addEventListener("click", () => {
    if (button === chosen) {
      if (library.paused) play(library);
      else library.pause();
      return;
    }
    chosen = button;
    byId("player").hidden = false;
    byId("playing").textContent = [...button.querySelectorAll(".names span")].map((one) => one.textContent).join(" – ");
    library.src = new URL(button.dataset.address, document.baseURI).href;
    library.currentTime = +button.dataset.start;
    play(library);
  });
}
library.addEventListener("play", () => {
  recording?.pause();
  showChosen();
});
library.addEventListener("pause", showChosen);
library.addEventListener("timeupdate", () => {
  if (library.currentTime < end()) return;
  library.pause();
  library.currentTime = +chosen.dataset.start;
});
showChosen();
performance.mark("ready");
