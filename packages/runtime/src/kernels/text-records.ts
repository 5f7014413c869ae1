import { encodeText, type Tensor } from "@nearside/core";
import type { Kernels } from "./kernel.ts";
import {
  float32Tensor,
  int32Tensor,
  invalid,
  numberOf,
  numbersOf,
  sizeOf,
  stringTensor,
  textsOf,
} from "./plain-tensors.ts";

/** Ops on strings that are made of others, or hold numbers. */
export const textRecordKernels: Kernels = {
  /** The strings of each segment, joined in their order: [num_segments, …]. */
  UnsortedSegmentJoin: {
    compute([input, ids, count], attrs) {
      const inner = input?.shape.slice(ids?.shape.length ?? 0) ?? [];
      const [size, texts, segments] = [sizeOf(inner), textsOf(input), numbersOf(ids)];
      const joined = Array.from({ length: numberOf(count) * size }, (): string[] => []);
      for (const [slice, segment] of segments.entries()) {
        if (segment < 0 || segment >= numberOf(count))
          throw invalid("UnsortedSegmentJoin", `segment ${segment} of ${numberOf(count)}`);
        for (let index = 0; index < size; index++)
          joined[segment * size + index]?.push(texts[slice * size + index] ?? "");
      }
      const separator = attrs.text("separator", "");
      return stringTensor(
        [numberOf(count), ...inner],
        joined.map((parts) => parts.join(separator)),
      );
    },
  },
  /** The bytes of strings, all of one length, as numbers of `out_type`: […, n]. */
  DecodeRaw: {
    compute([input], attrs) {
      const type = attrs.type("out_type", "DT_UINT8");
      const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
      if (reader === undefined) throw invalid("DecodeRaw", `out_type ${type} is not possible here`);
      const rows = textsOf(input).map((text) => encodeText(text));
      const bytes = rows[0]?.length ?? 0;
      if (rows.some((row) => row.length !== bytes) || bytes % reader.bytes !== 0) {
        throw invalid("DecodeRaw", `expected strings of one length, a multiple of ${reader.bytes} bytes`);
      }
      const isLittle = attrs.bool("little_endian", true);
      const values = rows.flatMap((row) => {
        const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
        return Array.from({ length: bytes / reader.bytes }, (_, at) => reader.read(view, at * reader.bytes, isLittle));
      });
      const shape = [...(input as Tensor).shape, bytes / reader.bytes]; // it has one input
      return (reader.isFloat ? float32Tensor : int32Tensor)(shape, values);
    },
  },
};

interface NumberReader {
  readonly bytes: number;
  readonly isFloat?: boolean;
  read(view: DataView, at: number, isLittle: boolean): number;
}

const readers: Readonly<Record<string, NumberReader>> = {
  DT_UINT8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  DT_INT8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  DT_UINT16: { bytes: 2, read: (view, at, isLittle) => view.getUint16(at, isLittle) },
  DT_INT16: { bytes: 2, read: (view, at, isLittle) => view.getInt16(at, isLittle) },
  DT_INT32: { bytes: 4, read: (view, at, isLittle) => view.getInt32(at, isLittle) },
  DT_FLOAT: { bytes: 4, isFloat: true, read: (view, at, isLittle) => view.getFloat32(at, isLittle) },
  DT_DOUBLE: { bytes: 8, isFloat: true, read: (view, at, isLittle) => view.getFloat64(at, isLittle) },
};
