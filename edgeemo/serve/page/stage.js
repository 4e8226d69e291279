// The image with its bounding boxes.

import { colour, find, percent, probability } from "./words.js";

const canvas = find("image");
const pen = canvas.getContext("2d");
let shown = { image: null, faces: [], size: [640, 480] };

// Draws an image and its faces; `image` is null where there is none to be shown.
export function draw(image, size, faces) {
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
    find("stage").style.setProperty("--ratio", size[0] / size[1]);
  }
  if (image) pen.drawImage(image, 0, 0, size[0], size[1]);
  else {
    pen.fillStyle = "#1c242e";
    pen.fillRect(0, 0, size[0], size[1]);
  }
  const scale = size[0] / Math.max(1, Math.min(canvas.clientWidth, (canvas.clientHeight * size[0]) / size[1]));
  for (const face of faces) if (face.box) drawFace(face, scale);
  shown = { image, faces, size };
  describe(faces);
}

function drawFace(face, scale) {
  const [left, top, width, height] = face.box;
  const line = 3 * scale;
  pen.lineWidth = line;
  pen.strokeStyle = colour(face.label);
  pen.setLineDash(face.sure ? [] : [line * 2.5, line * 1.5]);
  pen.strokeRect(left, top, width, height);
  pen.setLineDash([]);
  const letters = Math.min(Math.max(17 * scale, height / 9), 34 * scale);
  pen.font = `650 ${letters}px system-ui, "DejaVu Sans", sans-serif`;
  pen.textBaseline = "middle";
  const number = face.id && shown.faces.length > 1 ? `${face.id} ` : "";
  const text = `${number}${face.sure ? face.label : `${face.guess}?`} ${percent(probability(face))}`;
  const room = letters * 0.45;
  const plate = [pen.measureText(text).width + 2 * room, letters * 1.45];
  const x = Math.max(0, Math.min(left - line / 2, canvas.width - plate[0]));
  const y = top - plate[1] < 0 ? Math.max(0, top) : top - plate[1];
  pen.fillStyle = colour(face.label);
  pen.fillRect(x, y, ...plate);
  pen.fillStyle = "#000";
  pen.fillText(text, x + room, y + plate[1] / 2);
}

let described = "";

function describe(faces) {
  const labels = faces.map((face) => face.label).join(", ");
  const text = faces.length ? `Image with ${faces.length === 1 ? "one face" : `${faces.length} faces`}: ${labels}` : "Image without a face";
  if (text !== described) canvas.setAttribute("aria-label", text);
  described = text;
}

// Returns the face at a point of the window, or undefined.
export function faceAt(event) {
  const place = canvas.getBoundingClientRect();
  const scale = Math.max(shown.size[0] / place.width, shown.size[1] / place.height);
  const x = (event.clientX - place.left - place.width / 2) * scale + shown.size[0] / 2;
  const y = (event.clientY - place.top - place.height / 2) * scale + shown.size[1] / 2;
  return shown.faces.find(({ box }) => box && x >= box[0] && y >= box[1] && x <= box[0] + box[2] && y <= box[1] + box[3]);
}

// Copies a face of the image, without what is drawn over it, into another canvas.
export function copyFace(face, target) {
  const [left, top, width, height] = face.box || [0, 0, ...shown.size];
  target.width = target.height; // which clears it
  if (shown.image) target.getContext("2d").drawImage(shown.image, left, top, width, height, 0, 0, target.width, target.height);
}

export function notify(title, text = "", { old = false } = {}) {
  find("notice").hidden = !title;
  if (find("notice-title").textContent !== title) find("notice-title").textContent = title;
  if (find("notice-text").textContent !== text) find("notice-text").textContent = text;
  find("stage").classList.toggle("old", old);
}
