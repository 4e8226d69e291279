/** onnxruntime-web: runs an .onnx file in the browser. */

import * as ort from "./runtime/onnxruntime-web/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./runtime/onnxruntime-web/", import.meta.url).href;
ort.env.wasm.numThreads = 1;

/** Returns a function from pixels (Uint8Array, H x W x C) to the network's output. */
export async function openModel(bytes) {
  const session = await ort.InferenceSession.create(bytes);
  const [{ name, shape }] = session.inputMetadata;
  return async (pixels) => {
    const scale = Math.fround(1 / 255);
    const values = Float32Array.from(pixels, (v) => v * scale);
    const outputs = await session.run({ [name]: new ort.Tensor("float32", values, shape) });
    return Array.from(outputs[session.outputNames[0]].data);
  };
}
