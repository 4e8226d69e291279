/** LiteRT.js: runs a .tflite file in the browser. */

import { Tensor, loadAndCompile, loadLiteRt } from "./runtime/litert/index.js";

const RUNTIME = new URL("./runtime/litert/wasm/", import.meta.url).href;

/** Returns a function from pixels (Uint8Array, H x W x C) to the network's output. */
export async function openModel(bytes) {
  await (globalThis.liteRtLoaded ??= loadLiteRt(RUNTIME));
  const model = await loadAndCompile(bytes, { accelerator: "wasm" });
  const { shape, dtype } = model.getInputDetails()[0];
  return async (pixels) => {
    const scale = Math.fround(1 / 255);
    const values = dtype === "uint8" ? pixels : Float32Array.from(pixels, (v) => v * scale);
    const input = new Tensor(values, shape);
    const [output] = await model.run(input);
    const scores = await output.data();
    // A quantised output of edgeemo counts in steps of 1/256.
    const result = Array.from(scores, (v) => (scores instanceof Uint8Array ? v / 256 : v));
    input.delete();
    output.delete();
    return result;
  };
}
