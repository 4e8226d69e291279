// Requests to the server, and the WebSocket of the live image.

async function request(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer.");
  }
  if (reply.status === 401) location.reload(); // which asks for the token
  const content = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(content.detail || `The server answers ${reply.status}.`);
  return content;
}

export const get = (path) => request(path);

export function post(path, content) {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(content) });
}

export function predict(file) {
  const headers = { "Content-Type": file.type || "application/octet-stream" };
  return request("v1/predict", { method: "POST", headers, body: file });
}

const SILENCE_MS = 3000; // the server says something every second
const RETRY_MS = [300, 1000, 2000];

// Asks for a frame only when the one before is drawn: however slow this page is, what it shows is
// new. A page that nobody sees asks for none.
export class Watch {
  constructor(onFrame, onGone) {
    this.onFrame = onFrame;
    this.onGone = onGone;
    this.tries = 0;
    document.addEventListener("visibilitychange", () => this.ask());
    this.open();
  }

  open() {
    const address = new URL("v1/watch", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.ask();
    socket.onmessage = (event) => this.take(event.data);
    socket.onclose = () => this.retry(socket);
    this.socket = socket;
    this.listen();
  }

  ask() {
    if (document.hidden) return clearTimeout(this.silence);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send("next");
    this.listen();
  }

  listen() {
    clearTimeout(this.silence);
    const { socket } = this;
    this.silence = setTimeout(() => {
      socket.onclose = null;
      socket.close();
      this.retry(socket);
    }, SILENCE_MS);
  }

  retry(socket) {
    if (socket !== this.socket) return;
    clearTimeout(this.silence);
    this.onGone();
    const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)];
    setTimeout(() => this.open(), wait);
  }

  async take(message) {
    this.tries = 0;
    const length = new DataView(message).getUint32(0);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, length)));
    const jpeg = message.byteLength > 4 + length ? new Blob([new Uint8Array(message, 4 + length)], { type: "image/jpeg" }) : null;
    await this.onFrame(head, jpeg);
    this.ask();
  }
}
