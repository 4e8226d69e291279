/** A square on a canvas, drawn with a pointer or moved with the keyboard. */

const MIN_SIDE = 16;
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const GROWTH = { "+": 1.1, "=": 1.1, "-": 1 / 1.1, "−": 1 / 1.1 };

export class Selection {
  /**
   * @param {HTMLCanvasElement} canvas that shows the image, one pixel for each of its own
   * @param {HTMLElement} frame that shows the square; it lies in the canvas' parent
   * @param {() => void} changed is called after every change
   */
  constructor(canvas, frame, changed) {
    Object.assign(this, { canvas, frame, changed, box: null });
    canvas.addEventListener("pointerdown", (event) => this.#drag(event, this.#drawFrom(event)));
    frame.addEventListener("pointerdown", (event) => this.#drag(event, this.#moveFrom(event)));
    frame.addEventListener("keydown", (event) => this.#press(event));
    addEventListener("resize", () => this.#show());
  }

  /** Takes the whole image. */
  clear() {
    this.#set(null);
  }

  /** Takes a square in the middle, half as large as the image. */
  center() {
    const { width, height } = this.canvas;
    const side = Math.min(width, height) / 2;
    this.#set({ x: (width - side) / 2, y: (height - side) / 2, side });
    this.frame.focus();
  }

  #drag(event, follow) {
    event.preventDefault();
    const { target } = event;
    target.setPointerCapture(event.pointerId);
    const move = (moved) => follow(this.#place(moved));
    target.addEventListener("pointermove", move);
    const end = () => target.removeEventListener("pointermove", move);
    target.addEventListener("pointerup", end, { once: true });
    target.addEventListener("pointercancel", end, { once: true });
    this.frame.focus({ preventScroll: true });
  }

  #drawFrom(event) {
    const [x, y] = this.#place(event);
    return ([nowX, nowY]) => {
      const side = Math.max(Math.abs(nowX - x), Math.abs(nowY - y));
      this.#set({ x: nowX < x ? x - side : x, y: nowY < y ? y - side : y, side });
    };
  }

  #moveFrom(event) {
    const [x, y] = this.#place(event);
    const { x: left, y: top, width: side } = this.box;
    return ([nowX, nowY]) => this.#set({ x: left + nowX - x, y: top + nowY - y, side });
  }

  #press(event) {
    const { x, y, width: side } = this.box;
    if (MOVES[event.key]) {
      const step = Math.max(1, side * 0.05);
      const [right, down] = MOVES[event.key];
      this.#set({ x: x + right * step, y: y + down * step, side });
    } else if (GROWTH[event.key]) {
      const grown = side * GROWTH[event.key];
      this.#set({ x: x + (side - grown) / 2, y: y + (side - grown) / 2, side: grown });
    } else if (event.key === "Escape") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Returns the pixel of the image under a pointer. */
  #place(event) {
    const shown = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / shown.width;
    return [(event.clientX - shown.left) * scale, (event.clientY - shown.top) * scale];
  }

  #set(square) {
    this.box = square && this.#fit(square);
    this.#show();
    this.changed();
  }

  /** Returns a square of whole pixels inside the image. */
  #fit({ x, y, side }) {
    const { width, height } = this.canvas;
    const most = Math.min(width, height);
    const size = Math.round(Math.min(most, Math.max(Math.min(MIN_SIDE, most), side)));
    const keep = (place, room) => Math.round(Math.min(room - size, Math.max(0, place)));
    return { x: keep(x, width), y: keep(y, height), width: size, height: size };
  }

  #show() {
    this.frame.hidden = !this.box;
    if (!this.box) return;
    const scale = this.canvas.clientWidth / this.canvas.width;
    const { x, y, width } = this.box;
    Object.assign(this.frame.style, {
      left: `${this.canvas.offsetLeft + x * scale}px`,
      top: `${this.canvas.offsetTop + y * scale}px`,
      width: `${width * scale}px`,
      height: `${width * scale}px`,
    });
  }
}
