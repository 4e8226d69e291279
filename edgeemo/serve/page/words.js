// Words, numbers and colours that several modules share.

export const find = (id) => document.getElementById(id);

// Distinct with any kind of colour blindness, as far as six colours can be; black is legible on each.
const PALETTE = ["#ffb000", "#648fff", "#dc267f", "#fe6100", "#785ef0", "#22bb88"];
const OTHER = "#9aa4b2";

export const NO_FACE = "no face";

let classes = [];
let background = null;

export function setModel(model) {
  ({ classes, background } = model);
  const longest = Math.max(8, ...model.labels.map((label) => label.length)); // "not sure" has 8
  document.body.style.setProperty("--longest", Math.min(14, longest));
}

// The probability of what is shown: of a label of the model its own, of "not sure" the guess's.
export const probability = (face) => face.scores[face.label] ?? face.score;

// "neither" is as sure as a class is: only "not sure" leaves the guess open.
export const isSure = (label, guess) => label === guess || label === background;

export function colour(label) {
  const place = classes.indexOf(label);
  return place < 0 ? OTHER : PALETTE[place % PALETTE.length];
}

export const percent = (share) => `${Math.round(100 * share)} %`;

export function age(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

export const area = (face) => (face.box ? face.box[2] * face.box[3] : Infinity);

export function make(tag, kind = "", ...content) {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...content);
  return made;
}

export function swatch(label) {
  const made = make("span", "swatch");
  made.style.setProperty("--label", colour(label));
  return made;
}

// A screen reader hears of a change at most every two seconds, and then of the last one.
const PAUSE_MS = 2000;
let spoken = "";
let due = "";
let timer = 0;

export function announce(text) {
  due = text;
  if (timer) return;
  timer = setTimeout(() => {
    timer = 0;
    if (due !== spoken) find("announcement").textContent = due;
    spoken = due;
  }, announce.last && Date.now() - announce.last < PAUSE_MS ? PAUSE_MS : 50);
  announce.last = Date.now();
}

// Shows a sentence for a while: that something failed, or was done.
export function complain(text, kind = "bad") {
  const place = find("problem");
  place.textContent = text;
  place.dataset.kind = kind;
  place.hidden = !text;
  clearTimeout(complain.timer);
  if (text) complain.timer = setTimeout(() => complain(""), kind === "bad" ? 9000 : 3000);
}

export const confirm = (text) => complain(text, "good");
