// The right label for a face of which the model was not sure, kept to train on.

import { post } from "./server.js";
import { copyFace } from "./stage.js";
import { colour, complain, confirm, find, make, percent } from "./words.js";

let labels = [];
let hold = null; // promise of the face as the server keeps it

export function setLabels(names) {
  labels = names;
}

export function ask(face, frame) {
  hold = post("v1/hold", { face: face.id, frame });
  hold.catch(() => {}); // told when a label is chosen
  copyFace(face, find("labelling-face"));
  find("labelling-guess").textContent = `The model says ${face.label}, with ${percent(face.score)} for ${face.guess}.`;
  find("labelling-labels").replaceChildren(...labels.map(makeButton));
  find("labelling").showModal();
}

function makeButton(label) {
  const button = make("button", "", label);
  button.type = "button";
  button.style.setProperty("--label", colour(label));
  button.addEventListener("click", () => keep(label));
  return button;
}

async function keep(label) {
  find("labelling").close();
  try {
    const { hold: name } = await hold;
    await post("v1/label", { hold: name, label });
    confirm(`Kept as ${label}.`);
  } catch (error) {
    complain(error.message);
  }
}

find("labelling-cancel").addEventListener("click", () => find("labelling").close());
