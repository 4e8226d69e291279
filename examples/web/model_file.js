/** Reads what edgeemo writes behind a model: the specification, guarded by a checksum. */

const SEAL_BYTES = 83; // "edgeemo 2 00000727 " and 64 digits
const SEAL = /^edgeemo 2 (\d{8}) ([0-9a-f]{64})$/;
const ZIP_HEADER_BYTES = 30;

/**
 * Returns the specification of an exported file.
 *
 * @param {Uint8Array} bytes of the file
 * @throws {Error} if the file is not one that edgeemo exported, or is damaged
 */
export async function readSpec(bytes) {
  const text = new TextDecoder("latin1").decode(bytes.subarray(-SEAL_BYTES));
  const [, length, checksum] = SEAL.exec(text) ?? [];
  if (!checksum) throw new Error("it is not a file that edgeemo exported");
  if ((await sha256(bytes.subarray(0, -64))) !== checksum) throw new Error("it is damaged");
  const trailer = bytes.subarray(bytes.length - Number(length));
  const entry = trailer[0] === 0x50 ? readZip(trailer) : readMetadata(trailer);
  return JSON.parse(new TextDecoder().decode(entry)).spec;
}

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns the first member of a ZIP archive, which edgeemo stores without compression. */
function readZip(trailer) {
  const view = new DataView(trailer.buffer, trailer.byteOffset);
  const start = ZIP_HEADER_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  return trailer.subarray(start, start + view.getUint32(18, true));
}

/** Returns the value of the first `metadata_props` entry of an ONNX model. */
function readMetadata(trailer) {
  const entry = readField(trailer, 0);
  const key = readField(entry.value, 0);
  return readField(entry.value, key.end).value;
}

/** Returns the length-delimited field of Protocol Buffers at a place. */
function readField(bytes, place) {
  let length = 0;
  let end = place + 1; // behind the tag, which is one byte in this message
  for (let shift = 0; ; shift += 7) {
    length |= (bytes[end] & 0x7f) << shift;
    if (bytes[end++] < 0x80) break;
  }
  return { value: bytes.subarray(end, end + length), end: end + length };
}

/** Returns one probability per label from the output of the network. */
export function toScores(spec, output) {
  return spec.activation === "sigmoid" ? [1 - output[0], output[0]] : Array.from(output);
}

/** Returns the predicted label: a label of the model, or "not sure". */
export function chooseLabel(spec, scores) {
  const decided =
    scores.length === 2 ? Number(scores[1] >= spec.threshold) : scores.indexOf(Math.max(...scores));
  const label = spec.labels[decided];
  const isSure = label === spec.background || scores[decided] >= (spec.min_confidence ?? 0);
  return isSure ? label : "not sure";
}
