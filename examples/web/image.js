/** From an image file to the network's input, as edgeemo prepares it. */

import { chooseScale, readOrientation, reduce } from "./jpeg.js";
import { stretch, toGrey, toRGB } from "./pillow.js";

/**
 * Returns the upright pixels of an image file, in sRGB and over white, as a viewer shows them.
 *
 * @param {File} file
 * @returns {Promise<{data: ImageData, width: number, height: number, orientation: ?number}>} the
 *     EXIF orientation is that of a JPEG file, which is obeyed already
 */
export async function readImage(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Error("this browser cannot read it as an image");
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const orientation = readOrientation(new Uint8Array(await file.arrayBuffer()));
  return { data: context.getImageData(0, 0, width, height), width, height, orientation };
}

/**
 * Returns the network's input: grey or RGB first, then stretched to its size. A whole JPEG image is
 * reduced in between, as edgeemo decodes it.
 *
 * @param image as `readImage` returns it
 * @param box {x, y, width, height} of the part to take, in pixels; null for the whole image
 * @param spec specification of the model
 */
export function toInput(image, box, spec) {
  const part = box ?? { x: 0, y: 0, width: image.width, height: image.height };
  const rgba = crop(image, part);
  const { width, height } = part;
  const pixels = spec.channels === 1 ? toGrey(rgba) : toRGB(rgba);
  const whole = { pixels, width, height, channels: spec.channels };
  const scale = image.orientation && !box ? chooseScale(image, spec.width, spec.height) : 1;
  const small = scale > 1 ? reduce(whole, scale, image.orientation) : whole;
  return stretch(small, spec.width, spec.height);
}

function crop({ data, width }, part) {
  const row = part.width * 4;
  const rgba = new Uint8ClampedArray(row * part.height);
  for (let y = 0; y < part.height; y++) {
    const start = ((part.y + y) * width + part.x) * 4;
    rgba.set(data.data.subarray(start, start + row), y * row);
  }
  return rgba;
}
