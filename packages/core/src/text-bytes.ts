/**
 * A string of TensorFlow's is any bytes; a tensor here holds text. What is UTF-8 becomes its text; in what isn't, each
 * byte from 0x80 on becomes the lone surrogate U+DC00 + byte, so that serialized messages and images survive the way
 * there and back. (Python does the same with `surrogateescape`.)
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join("");
  }
}

/** The bytes that {@link decodeText} made the text from; of any other text, its UTF-8. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  if (!escaped.test(text)) return encoder.encode(text);
  // Split at a group: every second part is an escaped byte.
  const parts = text
    .split(escaped)
    .map((part, index) => (index % 2 === 0 ? encoder.encode(part) : Uint8Array.of(part.charCodeAt(0) - 0xdc00)));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** A byte in a text: a low surrogate without a high one before it. */
const escaped = /(?<![\ud800-\udbff])([\udc80-\udcff])/;
