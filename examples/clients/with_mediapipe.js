/** MediaPipe in the browser: predicts with a .tflite file of `edgeemo export --client mediapipe`. */

import { FilesetResolver, ImageClassifier } from "./runtime/mediapipe/vision_bundle.mjs";

/** Returns a function from an image (ImageData, canvas, img, video) to the scores by label. */
export async function openClassifier(bytes) {
  const files = await FilesetResolver.forVisionTasks("./runtime/mediapipe/wasm");
  const classifier = await ImageClassifier.createFromOptions(files, {
    baseOptions: { modelAssetBuffer: bytes, delegate: "CPU" },
    runningMode: "IMAGE",
  });
  return (image) => {
    const [{ categories }] = classifier.classify(image).classifications;
    return Object.fromEntries(categories.map((found) => [found.categoryName, found.score]));
  };
}
