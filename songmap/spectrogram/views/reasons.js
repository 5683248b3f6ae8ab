// A cursor on the spectrogram of the excerpt that plays.
const song = document.getElementById("song");
const note = document.querySelector(".note");
const excerpts = [...document.querySelectorAll("figure")].map((figure) => ({
  figure, start: +figure.dataset.start, end: +figure.dataset.end, cursor: figure.querySelector(".cursor"),
}));

function showPosition() {
  const now = song.currentTime;
  for (const { figure, start, end, cursor } of excerpts) {
    const isCurrent = now >= start && now < end && (now > 0 || !song.paused);
    figure.classList.toggle("current", isCurrent);
    cursor.hidden = !isCurrent;
    cursor.style.left = `${(100 * (now - start)) / (end - start)}%`;
  }
}
function follow() {
  showPosition();
  if (!song.paused) requestAnimationFrame(follow);
}
for (const { figure, start, end } of excerpts)
  figure.querySelector("button").addEventListener("click", (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    const share = event.detail ? (event.clientX - left) / width : 0; // a key has no place
    song.currentTime = start + share * (end - start);
    song.play().catch(() => {}); // its error event shows the note
  });
document.getElementById("plain").addEventListener("change", (event) => {
  document.body.classList.toggle("plain", event.target.checked);
});
song.addEventListener("play", follow);
for (const event of ["timeupdate", "seeked", "loadedmetadata"]) song.addEventListener(event, showPosition);
song.addEventListener("error", () => { note.hidden = false; });
performance.mark("ready");
