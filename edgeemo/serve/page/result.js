// The label, large, with the probabilities of the largest face, and the other faces below.

import { announce, area, colour, find, make, NO_FACE, percent, swatch } from "./words.js";

let rows = new Map();
let last = "";

// Shows faces, each with id, label, score, scores and sure; `ask` is called with the id of a face to label.
export function show(faces, { ask = null, numbered = true } = {}) {
  const [first, ...rest] = [...faces].sort((a, b) => area(b) - area(a));
  showLabel(first, faces.length, numbered);
  showScores(first ? first.scores : null, first && first.label);
  showOthers(ask ? faces : rest, ask, numbered);
  const text = faces.map((face) => (faces.length > 1 ? `face ${face.id}: ${face.label}` : face.label)).join(", ") || NO_FACE;
  if (text !== last) announce(text);
  last = text;
}

// Shows that there is nothing to predict: an old label must not pass for a new one.
export function hold(text) {
  last = "";
  showLabel(null, 0, false, text);
  showScores(null);
  showOthers([], null, false);
}

function showLabel(face, count, numbered, text = NO_FACE) {
  const label = face ? face.label : text;
  const place = find("label");
  if (place.textContent !== label) {
    place.textContent = label;
    place.className = face ? (face.sure ? "" : "unsure") : "none";
    find("banner").textContent = face ? label : "";
  }
  for (const each of [place, find("banner")]) each.style.setProperty("--label", face ? colour(label) : "transparent");
  const which = count > 1 ? (numbered ? `Largest of ${count} faces` : `${count} faces`) : "One face";
  const guess = face && !face.sure ? `, perhaps ${face.guess}` : "";
  const who = face ? `${which}${guess}` : "\u00a0";
  if (find("who").textContent !== who) find("who").textContent = who;
}

function showScores(scores, label) {
  const names = scores ? Object.keys(scores) : [];
  if (names.join() !== [...rows.keys()].join()) {
    rows = new Map(names.map((name) => [name, makeRow(name)]));
    find("scores").replaceChildren(...[...rows.values()].map((row) => row.entry));
  }
  for (const [name, row] of rows) {
    row.bar.style.width = percent(scores[name]).replace(" ", "");
    row.number.textContent = percent(scores[name]);
    row.entry.style.fontWeight = name === label ? "650" : "400";
  }
}

function makeRow(name) {
  const bar = make("i");
  const number = make("span", "percent");
  const holder = make("span", "bar", bar);
  holder.setAttribute("aria-hidden", "true");
  const entry = make("li", "", make("span", "", name), holder, number);
  entry.style.setProperty("--label", colour(name));
  return { entry, bar, number };
}

// Rows are kept while their faces are the same, so that a button stays under a finger.
let kept = "";

function showOthers(faces, ask, numbered) {
  const doubtful = ask ? faces.filter((face) => !face.sure || faces.length > 1) : faces;
  const text = JSON.stringify(doubtful.map((face) => [face.id, face.label, face.sure, Boolean(ask)]));
  if (text === kept) return;
  kept = text;
  const focused = document.activeElement?.dataset?.face;
  find("others").replaceChildren(...doubtful.map((face) => makeOther(face, ask, numbered)));
  if (focused) find("others").querySelector(`[data-face="${focused}"]`)?.focus();
}

function makeOther(face, ask, numbered) {
  const name = numbered ? `Face ${face.id}: ${face.label}` : face.label;
  const entry = make("li", "", swatch(face.label), make("span", "", name));
  if (ask) {
    const button = make("button", "", "Correct");
    button.type = "button";
    button.dataset.face = face.id;
    button.setAttribute("aria-label", `Correct the label of face ${face.id}`);
    button.addEventListener("click", () => ask(face.id));
    entry.append(button);
  }
  return entry;
}
