/**
 * JPEG files: edgeemo decodes a large one at a reduced scale (libjpeg's scaled IDCT), which comes
 * close to the mean of blocks of 2, 4 or 8 pixels. The blocks begin at the corner of the stored
 * image, which the camera may have turned.
 */

const SCALES = [8, 4, 2];
const FROM_THE_RIGHT = [2, 3, 6, 7];
const FROM_THE_BOTTOM = [3, 4, 7, 8];

/** Returns the EXIF orientation, 1 to 8, of a JPEG file's bytes; null of another file. */
export function readOrientation(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  try {
    return findOrientation(view) ?? 1;
  } catch {
    return 1; // cut short
  }
}

function findOrientation(view) {
  for (let place = 2; (view.getUint16(place) & 0xfff0) === 0xffe0; ) {
    if (view.getUint32(place + 4) === 0x45786966) return readTiff(view, place + 10); // "Exif"
    place += 2 + view.getUint16(place + 2);
  }
  return null;
}

function readTiff(view, start) {
  const little = view.getUint16(start) === 0x4949;
  const table = start + view.getUint32(start + 4, little);
  for (let i = 0; i < view.getUint16(table, little); i++) {
    const entry = table + 2 + 12 * i;
    if (view.getUint16(entry, little) === 0x0112) return view.getUint16(entry + 8, little);
  }
  return null;
}

/** Returns the scale, 1, 2, 4 or 8, at which edgeemo decodes an image for a network. */
export function chooseScale(image, width, height) {
  const most = Math.min(Math.trunc(image.width / width), Math.trunc(image.height / height));
  return SCALES.find((scale) => scale <= most) ?? 1;
}

/** Returns an image {pixels, width, height, channels} reduced to the means of its blocks. */
export function reduce({ pixels, width, height, channels }, scale, orientation) {
  const columns = cut(width, scale, FROM_THE_RIGHT.includes(orientation));
  const rows = cut(height, scale, FROM_THE_BOTTOM.includes(orientation));
  const result = new Uint8Array(columns.length * rows.length * channels);
  let place = 0;
  for (const [top, bottom] of rows) {
    for (const [left, right] of columns) {
      const count = (right - left) * (bottom - top);
      for (let c = 0; c < channels; c++) {
        let total = count >> 1;
        for (let y = top; y < bottom; y++) {
          const row = y * width * channels + c;
          for (let x = left; x < right; x++) total += pixels[row + x * channels];
        }
        result[place++] = total / count;
      }
    }
  }
  return { pixels: result, width: columns.length, height: rows.length, channels };
}

/** Returns the [start, end] of the blocks along a side; the last of them, or the first, is short. */
function cut(size, scale, fromTheEnd) {
  const blocks = Array.from({ length: Math.ceil(size / scale) }, (_, i) => [
    i * scale,
    Math.min(size, (i + 1) * scale),
  ]);
  return fromTheEnd ? blocks.map(([start, end]) => [size - end, size - start]).reverse() : blocks;
}
