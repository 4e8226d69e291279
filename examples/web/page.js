/** The page: an image and a square in it, a model, the prediction. */

import { chooseLabel, readSpec, toScores } from "./model_file.js";
import { readImage, toInput } from "./image.js";
import { Selection } from "./selection.js";

const ENGINES = { tflite: ["./litert.js", "LiteRT.js"], onnx: ["./onnxruntime.js", "onnxruntime-web"] };
const $ = (id) => document.getElementById(id);

let image = null;
let model = null;
let pending = Promise.resolve();
let isQueued = false;
const selection = new Selection($("photo"), $("selection"), predict);

$("image-file").addEventListener("change", ({ target }) => useImage(takeFile(target)));
$("model-file").addEventListener("change", ({ target }) => useModelFile(takeFile(target)));
$("model").addEventListener("change", ({ target }) => useModelPath(target.value));
$("square").addEventListener("click", () => selection.center());
$("whole").addEventListener("click", () => selection.clear());
for (const name of ["dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle("dropping", name === "dragover");
    if (name === "drop") useFile(event.dataTransfer.files[0]);
  });
}
listModels();

/** Returns the chosen file, and forgets it: choosing the same one again is a change, too. */
function takeFile(input) {
  const [file] = input.files;
  input.value = "";
  return file;
}

/** Takes a dropped file: a model by its ending, else an image. */
function useFile(file) {
  return file && /\.(tflite|onnx)$/i.test(file.name) ? useModelFile(file) : useImage(file);
}

async function listModels() {
  await attempt("models/models.json", async () => {
    const names = JSON.parse(new TextDecoder().decode(await download("models/models.json")));
    $("model").replaceChildren(...names.map((name) => new Option(name, name)));
    await useModelPath(names[0]);
  });
}

function useModelPath(name) {
  return attempt(name, async () => openModel(name, await download(`models/${name}`)));
}

function useModelFile(file) {
  if (!file) return undefined;
  return attempt(file.name, async () => {
    await openModel(file.name, new Uint8Array(await file.arrayBuffer()));
    const option = new Option(file.name, "", false, true);
    option.disabled = true;
    $("model").append(option);
  });
}

async function openModel(name, bytes) {
  const spec = await readSpec(bytes);
  const [module, engine] = ENGINES[name.split(".").pop().toLowerCase()];
  const run = await (await import(module)).openModel(bytes);
  model = { spec, run, name, engine };
  await predict();
}

function useImage(file) {
  if (!file) return undefined;
  return attempt(file.name, async () => {
    image = await readImage(file);
    $("photo").width = image.width;
    $("photo").height = image.height;
    $("photo").getContext("2d").putImageData(image.data, 0, 0);
    $("view").hidden = $("advice").hidden = false;
    $("empty").hidden = true;
    selection.clear();
    await pending;
  });
}

/** Predicts after the prediction that runs: an engine has one input. Of several requests one stays. */
function predict() {
  if (isQueued) return pending;
  isQueued = true;
  pending = pending.then(() => {
    isQueued = false;
    return image && model ? attempt(model.name, show) : undefined;
  });
  return pending;
}

async function show() {
  const start = performance.now();
  const { spec, run } = model;
  const input = toInput(image, selection.box, spec);
  const prepared = performance.now();
  const scores = toScores(spec, await run(input.pixels));
  const end = performance.now();
  $("label").textContent = chooseLabel(spec, scores);
  $("scores").replaceChildren(...spec.labels.map((label, i) => makeRow(label, scores[i], scores)));
  drawInput(input);
  $("input").textContent = `${spec.width} × ${spec.height} ${spec.channels === 1 ? "grey" : "RGB"}`;
  $("name").textContent = model.name;
  $("engine").textContent = model.engine;
  const [before, after] = [prepared - start, end - prepared].map((ms) => ms.toFixed(1));
  $("time").textContent = `${before} ms to prepare, ${after} ms to predict`;
  $("result").hidden = false;
  Object.assign($("result").dataset, { scores: JSON.stringify(scores), pixels: input.pixels.join() });
}

function makeRow(label, score, scores) {
  const row = document.createElement("li");
  row.classList.toggle("first", score === Math.max(...scores));
  const [name, value, bar] = ["span", "span", "progress"].map((tag) => document.createElement(tag));
  name.textContent = label;
  value.textContent = `${(score * 100).toFixed(1)} %`;
  value.className = "value";
  bar.value = score;
  bar.setAttribute("aria-label", label);
  row.append(name, value, bar);
  return row;
}

function drawInput({ pixels, width, height, channels }) {
  const canvas = $("pixels");
  canvas.width = width;
  canvas.height = height;
  const shown = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) shown.data[4 * i + c] = pixels[channels === 1 ? i : 3 * i + c];
    shown.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(shown, 0, 0);
}

async function download(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error("it is not there; run: python examples/web/get_runtime.py");
  return new Uint8Array(await response.arrayBuffer());
}

async function attempt(name, action) {
  $("problem").hidden = true;
  try {
    await action();
  } catch (error) {
    $("problem").textContent = `${name}: ${error.message ?? error}`;
    $("problem").hidden = false;
  }
}
