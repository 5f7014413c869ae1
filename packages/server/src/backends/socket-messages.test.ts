import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { receiveMessages, sendMessage } from "./socket-messages.ts";

const messages = [
  { id: 1, method: "run", request: { inputs: { x: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) } } } },
  { cancel: 1 },
  { words: ["\udc80", "ü"], count: 2n ** 60n, nothing: undefined, ids: BigInt64Array.of(-1n), none: Number.NaN },
  { data: new Uint8Array(200_000).fill(7) },
];

/** The messages as they are sent, in pieces of so many bytes. */
function piecesOf(bytes: number): Buffer[] {
  const sent = new PassThrough({ highWaterMark: 2 ** 20 });
  for (const message of messages) sendMessage(sent, message);
  const all = sent.read() as Buffer; // what was written is there at once
  return Array.from({ length: Math.ceil(all.byteLength / bytes) }, (_, index) =>
    all.subarray(index * bytes, (index + 1) * bytes),
  );
}

test.each([1, 3, 5, 64, 70_000, 2 ** 20])("messages arrive as they were sent, %i bytes at a time", (bytes) => {
  const socket = new PassThrough();
  const received: unknown[] = [];
  receiveMessages(socket, (message) => received.push(message));
  for (const piece of piecesOf(bytes)) socket.emit("data", piece);
  expect(received).toEqual(messages);
});
