/** onnxruntime-web: runs an .onnx file in the browser. */

import * as ort from "./runtime/onnxruntime-web/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = new URL("./runtime/onnxruntime-web/", import.meta.url).href;
ort.env.wasm.numThreads = 1;

/** Returns a function from pixels (Uint8Array, H x W x C) to the network's output. */
export async function openModel(bytes) {
  const session = await ort.InferenceSession.create(bytes);
  const [{ name, shape }] = session.inputMetadata;
  const isChannelsFirst = [1, 3].includes(shape[1]) && ![1, 3].includes(shape[3]);
  return async (pixels) => {
    const scale = Math.fround(1 / 255);
    const ordered = isChannelsFirst ? putChannelsFirst(pixels, shape[1]) : pixels;
    const values = Float32Array.from(ordered, (v) => v * scale);
    const outputs = await session.run({ [name]: new ort.Tensor("float32", values, shape) });
    return Array.from(outputs[session.outputNames[0]].data);
  };
}

/** Returns the pixels of a file that `edgeemo export --layout nchw` made: C x H x W. */
function putChannelsFirst(pixels, channels) {
  const size = pixels.length / channels;
  return pixels.map((_, i) => pixels[(i % size) * channels + Math.trunc(i / size)]);
}
