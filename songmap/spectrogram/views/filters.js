// Moments of songs: clips within the page, with their spectrograms, or parts of the library's files.
const note = document.querySelector(".note");
const library = document.getElementById("library");
const buttons = [...document.querySelectorAll(".play")];
let chosen = null;
let audio = null;

function show() {
  for (const button of buttons) button.setAttribute("aria-pressed", button === chosen && !audio.paused);
}
function follow() {
  const cursor = chosen?.querySelector(".cursor");
  if (cursor) {
    cursor.hidden = false;
    cursor.style.left = `${(100 * audio.currentTime) / (audio.duration || 1)}%`;
  }
  if (audio && !audio.paused) requestAnimationFrame(follow);
}
function choose(button) {
  audio?.pause();
  const before = chosen?.querySelector(".cursor");
  if (before) before.hidden = true;
  chosen = button;
  audio = button.dataset.clip ? document.getElementById(button.dataset.clip) : library;
  if (!button.dataset.clip) {
    audio.src = new URL(button.dataset.address, document.baseURI).href;
    audio.currentTime = +button.dataset.start;
  }
}
for (const button of buttons)
  button.addEventListener("click", () => {
    if (button === chosen && !audio.paused) {
      audio.pause();
      return;
    }
    if (button !== chosen) choose(button);
    note.hidden = true;
    audio.play().catch(() => {}); // its error event shows the note
  });
for (const one of document.querySelectorAll("audio")) {
  one.addEventListener("play", () => { show(); follow(); });
  one.addEventListener("pause", show);
}
library.addEventListener("error", () => {
  note.querySelector("a").href = library.src;
  note.hidden = false;
  chosen.closest("section").before(note);
});
library.addEventListener("timeupdate", () => {
  if (library.currentTime < +chosen.dataset.end) return;
  library.pause();
  library.currentTime = +chosen.dataset.start;
});
performance.mark("ready");
