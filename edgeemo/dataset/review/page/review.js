"use strict";

const find = (id) => document.getElementById(id);
let state = null; // what the server holds: classes, images with their decisions
let place = 0; // number of the image that is shown
let busy = false; // a request is under way: further keys wait for nothing and do nothing

function button(text, key, act, kind) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.append(text);
  if (key) {
    const hint = document.createElement("kbd");
    hint.textContent = key;
    made.append(hint);
  }
  made.addEventListener("click", act);
  return made;
}

function count(items) {
  return items.filter((item) => item.decision).length;
}

function otherLabels(item) {
  const others = state.labels.filter((label) => label !== item.label);
  others.sort((a, b) => (b === item.suggested) - (a === item.suggested));
  return others;
}

function describe(decision) {
  if (!decision) return "not decided yet";
  if (decision.decision === "relabel") return `decided: it is ${decision.label}`;
  return decision.decision === "keep" ? "decided: the label is right" : "decided: exclude it";
}

function showKinds() {
  const kinds = [...new Set(state.items.map((item) => item.kind))];
  find("kinds").replaceChildren(
    ...kinds.map((kind) => {
      const own = state.items.filter((item) => item.kind === kind);
      const current = place < state.items.length && state.items[place].kind === kind;
      const start = () => {
        const next = state.items.findIndex((item) => item.kind === kind && !item.decision);
        move(next < 0 ? state.items.indexOf(own[0]) : next);
      };
      return button(`${kind} ${count(own)} of ${own.length}`, "", start, current ? "now" : "");
    }),
  );
}

function showButtons(item) {
  const buttons = [button(`Keep ${item.label}`, "K", () => decide("keep"), "main")];
  otherLabels(item).forEach((label, number) => {
    const keys = number === 0 ? "O" : number < 9 ? String(number + 1) : "";
    buttons.push(button(`It is ${label}`, keys, () => decide("relabel", label), ""));
  });
  buttons.push(button("Exclude", "X", () => decide("exclude"), "out"));
  find("buttons").replaceChildren(...buttons);
}

function showAlike(item) {
  find("others").hidden = item.alike.length === 0;
  find("alike").replaceChildren(
    ...item.alike.map((path, number) => {
      const entry = document.createElement("li");
      const image = document.createElement("img");
      image.src = `image/${place}/${number}`;
      image.alt = path;
      entry.append(image, path);
      return entry;
    }),
  );
}

function show() {
  const items = state.items;
  const decided = count(items);
  find("done").style.width = `${(100 * decided) / Math.max(items.length, 1)}%`;
  find("bar").setAttribute("aria-valuenow", String(decided));
  find("bar").setAttribute("aria-valuemax", String(items.length));
  find("count").textContent = `${decided} of ${items.length} decided`;
  find("table").textContent = state.table;
  showKinds();
  const ended = place >= items.length;
  find("item").hidden = ended;
  find("end").hidden = !ended;
  if (ended) return;
  const item = items[place];
  find("image").src = `image/${place}`;
  find("image").alt = `Image ${item.path}`;
  find("path").textContent = item.path;
  find("kind").textContent = `${item.kind}, ${place + 1} of ${items.length}`;
  find("label").textContent = item.label;
  find("reason").textContent = item.reason;
  find("decision").textContent = describe(item.decision);
  showButtons(item);
  showAlike(item);
}

function move(to) {
  place = Math.max(0, Math.min(to, state.items.length));
  show();
}

function next() {
  const open = (item) => !item.decision;
  const after = state.items.slice(place + 1).findIndex(open);
  if (after >= 0) return place + 1 + after;
  const first = state.items.findIndex(open);
  return first >= 0 ? first : state.items.length;
}

function complain(text) {
  find("problem").textContent = text;
  find("problem").hidden = !text;
}

async function send(where, content) {
  if (busy) return null;
  busy = true;
  try {
    const answer = await fetch(where, { method: "POST", body: JSON.stringify(content) });
    if (!answer.ok) throw new Error(await answer.text());
    complain("");
    return await answer.json();
  } catch (error) {
    const gone = error instanceof TypeError;
    complain(gone ? "Not saved: the review ended in the terminal. Start it again." : error.message);
    return null;
  } finally {
    busy = false;
  }
}

async function decide(decision, label = "") {
  if (place >= state.items.length) return;
  const answer = await send("decide", { item: place, decision, label });
  if (!answer) return;
  state.items[answer.item].decision = answer.decision;
  move(next());
}

async function undo() {
  const answer = await send("undo", {});
  if (!answer || answer.item < 0) return;
  state.items[answer.item].decision = null;
  move(answer.item);
}

async function finish() {
  if (!(await send("finish", {}))) return;
  find("end").replaceChildren("The review is finished. You can close this page.");
}

const KEYS = {
  k: () => decide("keep"),
  x: () => decide("exclude"),
  u: undo,
  Backspace: undo,
  ArrowLeft: () => move(place - 1),
  ArrowRight: () => move(place + 1),
};

document.addEventListener("keydown", (event) => {
  if (!state || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const item = state.items[place];
  const others = item ? otherLabels(item) : [];
  const number = key === "o" ? 0 : /^[2-9]$/.test(key) ? Number(key) - 1 : -1;
  if (number >= 0 && number < others.length) decide("relabel", others[number]);
  else if (key in KEYS) KEYS[key]();
  else return;
  event.preventDefault();
});

find("undo").addEventListener("click", undo);
find("undo-last").addEventListener("click", undo);
find("back").addEventListener("click", () => move(place - 1));
find("skip").addEventListener("click", () => move(place + 1));
find("finish").addEventListener("click", finish);

fetch("state")
  .then((answer) => answer.json())
  .then((found) => {
    state = found;
    document.title = `Review: ${found.items.length} images`;
    move(found.first);
  })
  .catch(() => complain("The review ended in the terminal. Start it again."));
