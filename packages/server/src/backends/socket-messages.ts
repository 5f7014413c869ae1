import type { Readable, Writable } from "node:stream";
import { Deserializer, Serializer } from "node:v8";

/** What stands before each message: its length, in so many bytes. */
const lengthBytes = 4;
const noLength = Buffer.alloc(lengthBytes);

/**
 * Sends a message to another process: its length, and its structured clone as V8 serializes it. Node's own channel
 * between processes does the same in much more code, which takes long to run when it was not run for a few milliseconds.
 */
export function sendMessage(socket: Writable, message: unknown): void {
  const serializer = new Serializer();
  serializer.writeRawBytes(noLength); // which is known in the end: so all of it is one write
  serializer.writeHeader();
  serializer.writeValue(message);
  const bytes = serializer.releaseBuffer();
  bytes.writeUInt32LE(bytes.byteLength - lengthBytes);
  socket.write(bytes);
}

/** Calls `receive` with each message that {@link sendMessage} sends on the other side. Their tensors share memory. */
export function receiveMessages<Message>(socket: Readable, receive: (message: Message) => void): void {
  let chunks: Buffer[] = [];
  let bytesThere = 0;
  /** The first of what is there, at least so many bytes in one piece. */
  const inOnePiece = (bytes: number): Buffer => {
    const [first = noLength] = chunks;
    if (first.byteLength >= bytes) return first;
    const joined = Buffer.concat(chunks);
    chunks = [joined];
    return joined;
  };
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytesThere += chunk.byteLength;
    while (bytesThere >= lengthBytes) {
      const end = lengthBytes + inOnePiece(lengthBytes).readUInt32LE();
      if (bytesThere < end) return;
      const piece = inOnePiece(end);
      chunks[0] = piece.subarray(end);
      bytesThere -= end;
      const deserializer = new Deserializer(piece.subarray(lengthBytes, end));
      deserializer.readHeader();
      receive(deserializer.readValue() as Message); // nothing else is sent there
    }
  });
}
