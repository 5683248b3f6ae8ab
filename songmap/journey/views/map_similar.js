// What is similar to a song, in all descriptors or in those of one family, and what each family adds to a similarity.
const FAMILIES = data.families?.names ?? []; // a page of very many songs, or of vectors of a network, is without them
const ALL = -1; // in place of a family
let vectors = null; // unpacked when first needed

function product(row, other, family) { // of the family's part of two unit vectors
  vectors ??= { integers: unpacked(data.families.integers), scales: unpacked(data.families.scales) };
  const { integers, scales } = vectors;
  const before = data.families.sizes.slice(0, family).reduce((sum, size) => sum + size, 0);
  const size = data.families.sizes.reduce((sum, one) => sum + one, 0);
  let sum = 0;
  for (let i = before; i < before + data.families.sizes[family]; i++)
    sum += integers[row * size + i] * integers[other * size + i];
  return (sum * scales[row * FAMILIES.length + family] * scales[other * FAMILIES.length + family]) / (127 * 255) ** 2;
}
// the similarity of two songs is their sum
const contributions = (row, other) => FAMILIES.map((_, family) => product(row, other, family));

const recording = (row) => data.copies[row] ?? row;
function nearestInFamily(row, family) {
  const own = Math.sqrt(product(row, row, family));
  const rows = [];
  for (let other = 0; other < N; other++) {
    if (data.copies[other] !== undefined || recording(row) === other) continue; // a recording is listed once
    const lengths = own * Math.sqrt(product(other, other, family));
    rows.push([other, lengths ? product(row, other, family) / lengths : 0]);
  }
  return rows.sort(([, one], [, two]) => two - one).slice(0, data.nNeighbours);
}
let latest = { row: null };
function similarTo(row, family) { // the nearest songs, nearest first, each with its similarity
  if (family === ALL)
    return Array.from({ length: data.nNeighbours }, (_, i) =>
      [data.neighbours[row * data.nNeighbours + i], data.similarities[row * data.nNeighbours + i]]);
  if (latest.row !== row || latest.family !== family) latest = { row, family, songs: nearestInFamily(row, family) };
  return latest.songs;
}
