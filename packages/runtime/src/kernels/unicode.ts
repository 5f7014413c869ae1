import { decodeText, encodeText, type Tensor } from "@nearside/core";
import type { Kernels } from "./kernel.ts";
import type { KernelAttrs } from "./kernel-attrs.ts";
import { int32Tensor, invalid, numbersOf, stringTensor, textsOf } from "./plain-tensors.ts";

/** Ops on the characters of UTF-8 strings. What isn't UTF-8 becomes the replacement character, unless `errors` says otherwise. */
export const unicodeKernels: Kernels = {
  /** The code points of strings as ragged rows: row splits, values. */
  UnicodeDecode: {
    compute([input], attrs) {
      const rows = textsOf(input).map((text) => decode("UnicodeDecode", text, attrs));
      return [splitsOf(rows), codesOf(rows)];
    },
  },
  /** Also the byte that each begins at. */
  UnicodeDecodeWithOffsets: {
    compute([input], attrs) {
      const rows = textsOf(input).map((text) => decode("UnicodeDecodeWithOffsets", text, attrs));
      const offsets = rows.flatMap((row) => row.map(({ offset }) => offset));
      return [splitsOf(rows), codesOf(rows), int32Tensor([offsets.length], offsets)];
    },
  },
  /** Strings of ragged rows of code points: values and row splits in, [rows] out. */
  UnicodeEncode: {
    compute([values, splits], attrs) {
      requireUtf8("UnicodeEncode", attrs.text("output_encoding", "UTF-8"));
      const codes = numbersOf(values).map((code) => (isValid(code) ? code : replace("UnicodeEncode", attrs)));
      const ends = numbersOf(splits);
      const texts = ends.slice(1).map((end, row) =>
        codes
          .slice(ends[row], end)
          .filter((code) => code >= 0)
          .map((code) => String.fromCodePoint(code))
          .join(""),
      );
      return stringTensor([texts.length], texts);
    },
  },
  /** UTF-8 with what isn't replaced. */
  UnicodeTranscode: {
    compute([input], attrs) {
      requireUtf8("UnicodeTranscode", attrs.text("input_encoding", "UTF-8"));
      requireUtf8("UnicodeTranscode", attrs.text("output_encoding", "UTF-8"));
      const texts = textsOf(input).map((text) =>
        decode("UnicodeTranscode", text, attrs)
          .map(({ code }) => String.fromCodePoint(code))
          .join(""),
      );
      return stringTensor(input?.shape ?? [], texts);
    },
  },
  /** In base64 with - and _ for + and /, padded where `pad` is set. */
  EncodeBase64: {
    compute([input], attrs) {
      const texts = textsOf(input).map((text) => {
        const base64 = btoa(String.fromCharCode(...encodeText(text)))
          .replaceAll("+", "-")
          .replaceAll("/", "_");
        return attrs.bool("pad", false) ? base64 : base64.replace(/=+$/, "");
      });
      return stringTensor(input?.shape ?? [], texts);
    },
  },
  DecodeBase64: {
    compute([input]) {
      const texts = textsOf(input).map((text) => {
        if (!/^[\w-]*={0,2}$/.test(text) || text.replace(/=+$/, "").length % 4 === 1) {
          throw invalid("DecodeBase64", `expected base64 with - and _, got ${JSON.stringify(text)}`);
        }
        const binary = atob(text.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/"));
        return decodeText(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
      });
      return stringTensor(input?.shape ?? [], texts);
    },
  },
};

interface Character {
  readonly code: number;
  readonly offset: number;
}

/** The characters of a string; a byte that is none is replaced, left out or refused. */
function decode(op: string, text: string, attrs: KernelAttrs): readonly Character[] {
  requireUtf8(op, attrs.text("input_encoding", "UTF-8"));
  const bytes = encodeText(text);
  const decoded = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const isWhole = decoded === text;
  const isControlReplaced = attrs.bool("replace_control_characters", false);
  let offset = 0;
  const characters: Character[] = [];
  for (const char of decoded) {
    const given = char.codePointAt(0) ?? 0;
    const isWrong = !isWhole && given === 0xfffd;
    const isControl = isControlReplaced && (given < 0x20 || (given >= 0x7f && given < 0xa0));
    const code = isWrong || isControl ? replace(op, attrs) : given;
    if (code >= 0) characters.push({ code, offset });
    offset += isWrong ? 1 : encodeText(char).length;
  }
  return characters;
}

/** The character in the place of one that can't be: −1 to leave it out. */
function replace(op: string, attrs: KernelAttrs): number {
  const errors = attrs.text("errors", "replace");
  if (errors === "strict") throw invalid(op, "a string holds bytes that are no characters");
  return errors === "ignore" ? -1 : attrs.int("replacement_char", 0xfffd);
}

function requireUtf8(op: string, encoding: string): void {
  if (!/^utf-?8$/i.test(encoding)) throw invalid(op, `expected UTF-8, got the encoding ${encoding}`);
}

const isValid = (code: number) => code >= 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);

function splitsOf(rows: readonly (readonly Character[])[]): Tensor {
  let end = 0;
  const splits = rows.map((row) => {
    end += row.length;
    return end;
  });
  return int32Tensor([splits.length + 1], [0, ...splits]);
}

function codesOf(rows: readonly (readonly Character[])[]): Tensor {
  const codes = rows.flatMap((row) => row.map(({ code }) => code));
  return int32Tensor([codes.length], codes);
}
