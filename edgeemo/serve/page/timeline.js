// The labels of the last minutes: a row for each of the last faces, and the latest changes as text.

import { clock, colour, find, make, swatch } from "./words.js";

const SPAN_S = 300;
const GAP_S = 3; // as on the server
const ROWS = 3;
const canvas = find("timeline");
let stretches = [];

export function begin(found) {
  stretches = found;
}

export function add(faces, time) {
  for (const face of faces) {
    const last = stretches.findLast((each) => each.id === face.id);
    if (last && last.label === face.label && time - last.end <= GAP_S) last.end = Math.max(last.end, time);
    else stretches.push({ id: face.id, label: face.label, start: time, end: time });
  }
  while (stretches.length && stretches[0].end < time - SPAN_S) stretches.shift();
}

export function showLegend(labels) {
  find("legend").replaceChildren(...labels.map((label) => make("li", "", swatch(label), label)));
}

export function draw(now) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (!width) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.body);
  const ids = [...new Set(stretches.map((each) => each.id).reverse())].slice(0, ROWS).sort((a, b) => a - b);
  drawAxis(pen, width, height, style);
  const row = (height - 22) / Math.max(ids.length, 1);
  ids.forEach((id, place) => drawRow(pen, id, { now, width, top: place * row, height: row, ids, style }));
  showChanges();
}

function drawAxis(pen, width, height, style) {
  pen.font = `12px ${style.fontFamily}`;
  pen.textBaseline = "bottom";
  for (let minute = 0; minute <= 5; minute++) {
    const x = width - (minute * 60 * width) / SPAN_S;
    pen.fillStyle = style.getPropertyValue("--line");
    pen.fillRect(Math.min(width - 1, Math.max(0, x)), 0, 1, height - 18);
    pen.fillStyle = style.getPropertyValue("--faint");
    pen.textAlign = minute === 0 ? "right" : minute === 5 ? "left" : "center";
    pen.fillText(minute === 0 ? "now" : `${minute} min`, x, height);
  }
}

function drawRow(pen, id, { now, width, top, height, ids, style }) {
  const bar = Math.min(34, height - 5);
  const y = top + (height - bar) / 2;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  for (const { label, start, end } of stretches.filter((each) => each.id === id)) {
    const x = Math.max(0, width - ((now - start) * width) / SPAN_S);
    const to = width - (Math.max(0, now - end) * width) / SPAN_S;
    if (to <= 0) continue;
    pen.fillStyle = colour(label);
    pen.fillRect(x, y, Math.max(1.5, to - x), bar);
    pen.font = `600 13px ${style.fontFamily}`;
    pen.fillStyle = "#000";
    if (pen.measureText(label).width + 12 < to - x && bar > 14) pen.fillText(label, x + 6, y + bar / 2);
  }
  if (ids.length > 1) {
    const text = `Face ${id}`;
    pen.font = `12px ${style.fontFamily}`;
    pen.fillStyle = style.getPropertyValue("--paper");
    pen.fillRect(0, y + bar / 2 - 9, pen.measureText(text).width + 8, 18);
    pen.fillStyle = style.getPropertyValue("--ink");
    pen.fillText(text, 3, y + bar / 2);
  }
}

let text = "";

function showChanges() {
  const several = new Set(stretches.map((each) => each.id)).size > 1;
  const latest = stretches
    .map((each, place) => [each, stretches.slice(0, place).findLast((other) => other.id === each.id)])
    .slice(-4)
    .reverse();
  const now = JSON.stringify(latest.map(([each]) => [each.id, each.start]));
  if (now === text) return;
  text = now;
  find("changes").replaceChildren(
    ...latest.map(([each, before]) => {
      const who = several ? `Face ${each.id}: ` : "";
      const from = before && each.start - before.end <= GAP_S ? `${before.label} → ` : "new: ";
      return make("li", "", make("time", "", clock(each.start)), `${who}${from}${each.label}`);
    }),
  );
}
