// An image of one's own: chosen, dropped or pasted.

import { predict } from "./server.js";
import * as result from "./result.js";
import * as stage from "./stage.js";
import { complain, find, isSure } from "./words.js";

let threshold = 0;
let held = null; // the image and its faces

export function setThreshold(value) {
  threshold = value;
  if (held) show();
}

// Predicts a file and shows it; returns whether it could be.
export async function open(file) {
  let image;
  stage.notify("Predicting …");
  try {
    image = await createImageBitmap(file).catch(() => null);
    const { images } = await predict(file);
    held = { image, size: image ? [image.width, image.height] : [640, 480], faces: read(images[0]) };
  } catch (error) {
    complain(error.message);
    return false;
  } finally {
    stage.notify("");
  }
  show();
  return true;
}

export function close() {
  held = null;
}

function read(found) {
  const faces = found.faces || [{ ...found, box: null }];
  return faces.map((face, place) => {
    const guess = face.guess || face.label;
    return { ...face, id: place + 1, guess, sure: isSure(face.label, guess) };
  });
}

function show() {
  const faces = held.faces.map((face) => {
    const sure = face.sure && face.score >= threshold;
    const unsure = face.score < threshold && face.sure;
    return { ...face, sure, label: unsure ? "not sure" : face.label };
  });
  stage.draw(held.image, held.size, faces);
  result.show(faces);
}

const isImage = (item) => item && item.type.startsWith("image/");

// Calls a function with every image that is chosen, dropped or pasted.
export function listen(take) {
  const input = find("file");
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  const target = find("stage");
  for (const name of ["dragenter", "dragover"])
    document.addEventListener(name, (event) => {
      event.preventDefault();
      target.classList.add("over");
    });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) target.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    target.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
  document.addEventListener("paste", (event) => {
    const item = [...event.clipboardData.items].find(isImage);
    if (item) take(item.getAsFile());
  });
}
