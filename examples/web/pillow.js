/**
 * Pillow's 8-bit arithmetic: the same bytes as `Image.convert("L")` and `Image.resize(...,
 * Resampling.BILINEAR)`, so that a network reads here what it reads in Python.
 */

const PRECISION_BITS = 32 - 8 - 2;

/** Returns grey pixels of RGBA pixels: ITU-R 601-2 luma with 16-bit weights. */
export function toGrey(rgba) {
  const grey = new Uint8Array(rgba.length / 4);
  for (let i = 0, j = 0; i < grey.length; i++, j += 4) {
    grey[i] = (rgba[j] * 19595 + rgba[j + 1] * 38470 + rgba[j + 2] * 7471 + 0x8000) >> 16;
  }
  return grey;
}

/** Returns RGB pixels of RGBA pixels. */
export function toRGB(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, j = 0; i < rgb.length; i += 3, j += 4) {
    rgb[i] = rgba[j];
    rgb[i + 1] = rgba[j + 1];
    rgb[i + 2] = rgba[j + 2];
  }
  return rgb;
}

/**
 * Stretches pixels: bilinear with antialiasing, the width first, each pass rounded to 8 bits.
 *
 * An image is {pixels: Uint8Array of H x W x C, width, height, channels}.
 */
export function stretch(image, width, height) {
  return resizeHeight(resizeWidth(image, width), height);
}

function resizeWidth({ pixels, width, height, channels }, newWidth) {
  const result = new Uint8Array(newWidth * height * channels);
  computeWeights(width, newWidth).forEach(({ first, weights }, x) => {
    for (let y = 0; y < height; y++) {
      const start = (y * width + first) * channels;
      const place = (y * newWidth + x) * channels;
      for (let c = 0; c < channels; c++) {
        result[place + c] = sum(pixels, start + c, channels, weights);
      }
    }
  });
  return { pixels: result, width: newWidth, height, channels };
}

function resizeHeight({ pixels, width, height, channels }, newHeight) {
  const row = width * channels;
  const result = new Uint8Array(row * newHeight);
  computeWeights(height, newHeight).forEach(({ first, weights }, y) => {
    for (let i = 0; i < row; i++) {
      result[y * row + i] = sum(pixels, first * row + i, row, weights);
    }
  });
  return { pixels: result, width, height: newHeight, channels };
}

function sum(pixels, start, step, weights) {
  let total = 1 << (PRECISION_BITS - 1);
  for (let i = 0, place = start; i < weights.length; i++, place += step) {
    total += pixels[place] * weights[i];
  }
  return Math.min(255, Math.max(0, total >> PRECISION_BITS));
}

/** Returns, for every new place, its first old place and the fixed-point weights from there. */
function computeWeights(size, newSize) {
  const scale = size / newSize;
  const support = Math.max(scale, 1);
  return Array.from({ length: newSize }, (_, place) => {
    const center = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(size, Math.trunc(center + support + 0.5));
    const weights = Array.from({ length: end - first }, (_, i) =>
      Math.max(0, 1 - Math.abs((i + first - center + 0.5) * (1 / support))),
    );
    const total = weights.reduce((a, b) => a + b, 0);
    return {
      first,
      weights: Int32Array.from(weights, (w) => Math.trunc(0.5 + (w / total) * 2 ** PRECISION_BITS)),
    };
  });
}
