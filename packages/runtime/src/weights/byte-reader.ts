import { InferenceError } from "@nearside/core";

/** The bytes of a model's shards, end to end. Reading past their end rejects with `data-loss`, naming the weight. */
export interface ByteReader {
  /** Hands on the next bytes in the pieces in which the shards have them: views, not copies, each with its place. */
  read(size: number, name: string, use: UsePiece): Promise<void>;
  /** The next bytes as one: a view where one shard has them all, else a copy. */
  take(size: number, name: string): Promise<Uint8Array<ArrayBuffer>>;
}

type UsePiece = (piece: Uint8Array<ArrayBuffer>, at: number) => void;

/** Reads shards as their bytes are asked for: no more than one is held. */
export function byteReader(shards: AsyncIterator<ArrayBuffer>): ByteReader {
  let rest = new Uint8Array(0);
  const read = async (size: number, name: string, use: UsePiece) => {
    let at = 0;
    while (at < size) {
      const piece = rest.subarray(0, size - at);
      if (piece.length > 0) use(piece, at);
      at += piece.length;
      rest = rest.subarray(piece.length);
      if (at === size) return;
      const { value, done } = await shards.next();
      if (done) throw tooShort(name, size, at);
      rest = new Uint8Array(value);
    }
  };
  const take = async (size: number, name: string) => {
    let taken = new Uint8Array(0);
    await read(size, name, (piece, at) => {
      if (piece.length === size) taken = piece;
      else {
        if (at === 0) taken = new Uint8Array(size);
        taken.set(piece, at);
      }
    });
    return taken;
  };
  return { read, take };
}

/** The error for a weight that the shards are too short for. */
export function tooShort(name: string, size: number, got: number): InferenceError {
  const message = `weight "${name}": expected ${size} bytes in the shards, got ${got}`;
  return new InferenceError("data-loss", `${message}; convert or upload the model again`);
}
