// The page: what the server says goes to the parts that show it.

import * as labelling from "./labelling.js";
import * as result from "./result.js";
import { get, post, Watch } from "./server.js";
import * as stage from "./stage.js";
import * as timeline from "./timeline.js";
import * as trying from "./trying.js";
import { age, announce, complain, duration, find, isSure, percent, setModel } from "./words.js";

const view = find("view");
let info = null;
let state = null; // the last message of the server
let skew = Infinity; // this clock minus the server's, and the shortest way here
let rate = { observed: 0, at: 0 };
let isThresholdHeld = false;
let current = null; // the image that is shown

const isTrying = () => view.dataset.mode === "image";

function readFaces(frame) {
  return (frame ? frame.faces : []).map((face) => {
    const { label, guess, score, scores } = face.steady;
    return { id: face.id, box: face.box, label, guess, score, scores, sure: isSure(label, guess) };
  });
}

async function takeFrame(head, jpeg) {
  if (state && head.model !== state.model) await readInfo();
  skew = Math.min(skew, Date.now() / 1000 - head.now);
  const isNew = head.frame && (!state || !state.frame || head.frame.time !== state.frame.time);
  state = head;
  if (jpeg && !isTrying()) {
    const image = await createImageBitmap(jpeg).catch(() => null);
    if (image) showFrame(image);
  } else if (isNew && !info.images && !isTrying()) showFrame(null);
  if (isNew) timeline.add(readFaces(head.frame), head.frame.time);
  showState();
}

function showFrame(image) {
  if (isTrying()) return;
  current?.close();
  current = image;
  view.dataset.mode = "live";
  const faces = readFaces(state.frame);
  stage.draw(image, state.frame.size, faces);
  result.show(faces, { ask: info.collect ? askLabel : null });
  find("age").dataset.time = state.frame.time;
}

function askLabel(id) {
  const face = readFaces(state.frame).find((each) => each.id === id);
  if (face) labelling.ask(face, state.frame.number);
}

function showState() {
  const { source, paused } = state;
  const isGone = source.state === "lost" || source.state === "ended";
  const name = isGone ? "gone" : paused ? "paused" : "live";
  const words = { gone: source.state === "lost" ? "Camera gone" : "Ended", paused: "Paused", live: "Live" };
  setStatus(name, words[name]);
  find("pause").setAttribute("aria-pressed", String(paused));
  find("pause").textContent = paused ? "Resume" : "Pause";
  if (!isThresholdHeld) showThreshold(state.min_confidence);
  if (isTrying()) return;
  if (source.state === "lost") {
    const seconds = duration(Math.max(0, state.now - source.since));
    stage.notify("Camera gone", `${source.text || "No image comes"}. Gone for ${seconds}; it comes back by itself.`, { old: true });
    result.hold("no image");
  } else if (source.state === "ended") stage.notify("The video has ended");
  else if (!state.frame) stage.notify("Waiting for the first image");
  else stage.notify("");
}

function setStatus(name, text) {
  const place = find("status");
  if (place.dataset.state === name && find("status-text").textContent === text) return;
  if (place.dataset.state !== "waiting") announce(text);
  place.dataset.state = name;
  find("status-text").textContent = text;
}

function showGone() {
  setStatus("gone", "Connection lost");
  if (isTrying()) return;
  stage.notify("Connection lost", "The page tries again until the server answers.", { old: true });
  result.hold("no image");
}

// What changes with every frame is legible at a slower pace.
function showFacts() {
  if (!state || view.dataset.mode !== "live") return;
  const now = Date.now() / 1000;
  const seconds = now - skew - Number(find("age").dataset.time);
  find("age").textContent = age(seconds);
  find("age").classList.toggle("late", seconds > 1.5 && !state.paused);
  if (now - rate.at >= 1.9) {
    const frames = (state.observed - rate.observed) / (now - rate.at);
    if (rate.at) find("rate").textContent = String(Math.round(Math.max(0, frames)));
    rate = { observed: state.observed, at: now };
  }
  const all = state.observed + state.passed_over;
  find("passed").textContent = percent(all ? state.passed_over / all : 0);
  find("passed").title = `${state.passed_over.toLocaleString()} of ${all.toLocaleString()} frames`;
  find("temperature").textContent = state.temperature === null ? "–" : `${Math.round(state.temperature)} °C`;
  timeline.draw(now - skew);
}

function showThreshold(value) {
  find("threshold").value = value;
  find("threshold-text").textContent = value > 0 ? percent(value) : "none";
}

async function readInfo() {
  info = await get("v1/info");
  setModel(info.model);
  labelling.setLabels(info.model.labels);
  timeline.showLegend(info.model.labels);
  const names = [...new Set([info.model.name, ...info.models])];
  find("model").replaceChildren(...names.map((name) => new Option(name, name, false, name === info.model.name)));
  find("stage").classList.toggle("doubtful", info.collect);
  find("source").textContent = info.source || "";
  find("source").hidden = !info.source;
  document.title = info.source ? `${info.source} – edgeemo` : "edgeemo";
}

async function act(deed) {
  try {
    return await deed();
  } catch (error) {
    return complain(error.message);
  }
}

const togglePause = () => act(() => post("v1/state", { paused: !state.paused }));

async function tryImage(file) {
  const before = view.dataset.mode;
  if (before !== "image") view.dataset.was = before;
  view.dataset.mode = "image";
  if (!(await trying.open(file)) && before !== "image") return leaveImage();
  find("empty").hidden = true;
  find("back").hidden = false;
  find("back").textContent = info.source ? "Back to the camera" : "Back";
  find("pause").hidden = true;
  return undefined;
}

function leaveImage() {
  trying.close();
  find("back").hidden = true;
  if (!info.source) return showEmpty();
  find("pause").hidden = false;
  view.dataset.mode = view.dataset.was;
  return undefined;
}

function showEmpty() {
  view.dataset.mode = "empty";
  find("empty").hidden = false;
  for (const id of ["pause", "full"]) find(id).hidden = true;
  setStatus("ready", "Ready");
}

function setThreshold() {
  const value = Number(find("threshold").value);
  showThreshold(value);
  trying.setThreshold(value);
  if (!info.source) return;
  isThresholdHeld = true;
  clearTimeout(setThreshold.timer);
  setThreshold.timer = setTimeout(async () => {
    await act(() => post("v1/state", { min_confidence: value }));
    isThresholdHeld = false;
  }, 150);
}

async function switchModel() {
  const name = find("model").value;
  find("model").disabled = true;
  await act(() => post("v1/model", { model: name }));
  await act(readInfo);
  find("model").disabled = false;
}

async function openSample() {
  const reply = await fetch("page/sample.jpg");
  await tryImage(new File([await reply.blob()], "sample.jpg", { type: "image/jpeg" }));
}

const toggleFull = () => (document.fullscreenElement ? document.exitFullscreen() : find("stage").requestFullscreen());

function listen() {
  find("pause").addEventListener("click", togglePause);
  find("choose").addEventListener("click", () => find("file").click());
  find("choose-first").addEventListener("click", () => find("file").click());
  find("sample").addEventListener("click", () => act(openSample));
  find("back").addEventListener("click", leaveImage);
  find("full").addEventListener("click", toggleFull);
  find("threshold").addEventListener("input", setThreshold);
  find("model").addEventListener("change", switchModel);
  find("image").addEventListener("click", (event) => {
    const face = info.collect && !isTrying() && stage.faceAt(event);
    if (face) askLabel(face.id);
  });
  trying.listen((file) => act(() => tryImage(file)));
  document.addEventListener("keydown", pressKey);
}

function pressKey(event) {
  const isTyping = ["SELECT", "INPUT"].includes(event.target.tagName) || find("labelling").open;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "p" && info.source && !isTrying()) togglePause();
  else if (key === "o") find("file").click();
  else if (key === "f" && !find("full").hidden) toggleFull();
  else if (key === "escape" && isTrying()) leaveImage();
}

async function start() {
  try {
    await readInfo();
  } catch (error) {
    setTimeout(start, 1500);
    return showGone();
  }
  listen();
  find("full").hidden = !document.fullscreenEnabled;
  showThreshold(info.model.min_confidence);
  if (!info.source) return showEmpty();
  const found = await get("v1/state");
  timeline.begin(found.time_line);
  setInterval(showFacts, 250);
  return new Watch(takeFrame, showGone);
}

start();
