import { decodeText, encodeText, type Tensor } from "@nearside/core";
import type { Kernel, Kernels } from "./kernel.ts";
import type { KernelAttrs } from "./kernel-attrs.ts";
import {
  axisOf,
  boolTensor,
  float32Tensor,
  int32Tensor,
  invalid,
  numbersOf,
  sizeOf,
  stringTensor,
  textsOf,
} from "./plain-tensors.ts";
import { toRegExp, toReplacement } from "./re2.ts";
import { splitText } from "./split-text.ts";

/** Ops on strings. They are element by element and keep the shape unless they say otherwise. */
export const stringKernels: Kernels = {
  /** Without an encoding, only A–Z change, as in TensorFlow; with `utf-8`, all letters. */
  StringLower: mapTexts((text, attrs) =>
    isUtf8(attrs) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  ),
  StringUpper: mapTexts((text, attrs) =>
    isUtf8(attrs) ? text.toUpperCase() : text.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
  ),
  /** Takes ASCII white space off both ends. */
  StringStrip: mapTexts((text) => text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, "")),
  /** Replaces matches of RE2's `pattern`, all unless `replace_global` is false; `\1` in `rewrite` is the first group. */
  StaticRegexReplace: {
    compute: ([input], attrs) =>
      replaceAll(input, attrs.text("pattern", ""), attrs.text("rewrite", ""), attrs.bool("replace_global", true)),
  },
  /** The same with pattern and rewrite as inputs: scalars. */
  RegexReplace: {
    compute: ([input, pattern, rewrite], attrs) =>
      replaceAll(input, textsOf(pattern)[0] ?? "", textsOf(rewrite)[0] ?? "", attrs.bool("replace_global", true)),
  },
  /** bool: whether the whole string matches `pattern`. */
  StaticRegexFullMatch: { compute: ([input], attrs) => fullMatch(input, attrs.text("pattern", "")) },
  RegexFullMatch: { compute: ([input, pattern]) => fullMatch(input, textsOf(pattern)[0] ?? "") },
  /** int32: the length in bytes, or in characters with the unit `UTF8_CHAR`. */
  StringLength: {
    compute: ([input], attrs) =>
      int32Tensor(
        input?.shape ?? [],
        textsOf(input).map((text) => unitsOf(text, attrs).length),
      ),
  },
  /** `len` bytes (or characters) from `pos`, which counts from the end if negative; scalars or of the input's shape. */
  Substr: {
    compute([input, pos, len], attrs) {
      const [starts, lengths] = [numbersOf(pos), numbersOf(len)];
      const texts = textsOf(input).map((text, index) => {
        const units = unitsOf(text, attrs);
        const start = starts[starts.length === 1 ? 0 : index] ?? 0;
        const length = lengths[lengths.length === 1 ? 0 : index] ?? 0;
        if (Math.abs(start) > units.length) throw invalid("Substr", `pos ${start} is out of range for "${text}"`);
        const from = start < 0 ? units.length + start : start;
        return joinUnits(units.slice(from, from + length));
      });
      return stringTensor(input?.shape ?? [], texts);
    },
  },
  /** Joins inputs of one shape, or scalars, element by element, with `separator` between. */
  StringJoin: {
    compute(inputs, attrs) {
      const shape = inputs.find((input) => input.shape.length > 0)?.shape ?? [];
      const lists = inputs.map((input) => ({ isScalar: input.shape.length === 0, texts: textsOf(input) }));
      const joined = Array.from({ length: sizeOf(shape) }, (_, index) =>
        lists.map(({ isScalar, texts }) => texts[isScalar ? 0 : index]).join(attrs.text("separator", "")),
      );
      return stringTensor(shape, joined);
    },
  },
  /** Joins along `reduction_indices`, one axis after the other in their order; `keep_dims` leaves them as 1. */
  ReduceJoin: {
    compute([input, axes], attrs) {
      let [shape, texts] = [input?.shape ?? [], textsOf(input)];
      const reduced = numbersOf(axes).map((axis) => axisOf(attrs.op, axis, shape.length));
      for (const axis of reduced) {
        texts = joinAxis(texts, shape, axis, attrs.text("separator", ""));
        shape = shape.map((size, each) => (each === axis ? 1 : size));
      }
      const isKept = attrs.bool("keep_dims", false);
      return stringTensor(
        shape.filter((_, axis) => isKept || !reduced.includes(axis)),
        texts,
      );
    },
  },
  /** Numbers and booleans as C's printf writes them: floats with six decimals unless `precision` says otherwise. */
  AsString: {
    compute: ([input], attrs) =>
      stringTensor(
        input?.shape ?? [],
        numbersOf(input).map((value) => formatNumber(value, input?.dtype === "bool", attrs)),
      ),
  },
  /** float32 or int32, by `out_type`. */
  StringToNumber: {
    compute([input], attrs) {
      const values = textsOf(input).map((text) => {
        const value = text.trim() === "" ? Number.NaN : Number(text);
        if (Number.isNaN(value) && !/^\s*[+-]?nan\s*$/i.test(text)) {
          throw invalid("StringToNumber", `expected a number, got "${text}"`);
        }
        return value;
      });
      const isFloat = ["DT_FLOAT", "DT_DOUBLE"].includes(attrs.type("out_type", "DT_FLOAT"));
      return (isFloat ? float32Tensor : int32Tensor)(input?.shape ?? [], values);
    },
  },
  /**
   * Splits [n] strings at `sep`, or at white space where it is empty, at most `maxsplit` times (−1: no limit).
   * Sparse: indices [k, 2], values [k], shape [2] = (n, most parts).
   */
  StringSplitV2: {
    compute([input, separator], attrs) {
      const sep = textsOf(separator)[0] ?? "";
      const rows = textsOf(input).map((text) => splitText(text, sep, attrs.int("maxsplit", -1)));
      return sparseRows(rows);
    },
  },
  /** The older form: `delimiter` is a set of characters, or none to split into characters. */
  StringSplit: {
    compute([input, delimiter], attrs) {
      const characters = new Set(textsOf(delimiter)[0] ?? "");
      const skipEmpty = attrs.bool("skip_empty", true);
      const rows = textsOf(input).map((text) => {
        const parts = characters.size === 0 ? Array.from(text) : splitAtAny(text, characters);
        return parts.filter((part) => part !== "" || !skipEmpty);
      });
      return sparseRows(rows);
    },
  },
};

const isUtf8 = (attrs: KernelAttrs) => attrs.text("encoding", "") === "utf-8";

function mapTexts(change: (text: string, attrs: KernelAttrs) => string): Kernel {
  return {
    compute: ([input], attrs) =>
      stringTensor(
        input?.shape ?? [],
        textsOf(input).map((text) => change(text, attrs)),
      ),
  };
}

function replaceAll(input: Tensor | undefined, pattern: string, rewrite: string, isGlobal: boolean): Tensor {
  const regExp = toRegExp(pattern, isGlobal ? "g" : "");
  const replacement = toReplacement(rewrite);
  return stringTensor(
    input?.shape ?? [],
    textsOf(input).map((text) => text.replace(regExp, replacement)),
  );
}

function fullMatch(input: Tensor | undefined, pattern: string): Tensor {
  const regExp = toRegExp(`^(?:${pattern})$`, "");
  return boolTensor(
    input?.shape ?? [],
    textsOf(input).map((text) => regExp.test(text)),
  );
}

function joinAxis(texts: readonly string[], shape: readonly number[], axis: number, separator: string) {
  const [length, stride] = [shape[axis] ?? 1, sizeOf(shape.slice(axis + 1))];
  return Array.from({ length: sizeOf(shape.slice(0, axis)) * stride }, (_, index) => {
    const begin = Math.floor(index / stride) * stride * length + (index % stride);
    return Array.from({ length }, (_, step) => texts[begin + step * stride]).join(separator);
  });
}

type Units = readonly string[] | Uint8Array;

/** The characters or the bytes of a string, as the attribute `unit` says. */
function unitsOf(text: string, attrs: KernelAttrs): Units {
  return attrs.text("unit", "BYTE") === "UTF8_CHAR" ? Array.from(text) : encodeText(text);
}

function joinUnits(units: Units): string {
  return units instanceof Uint8Array ? decodeText(units) : units.join("");
}

function splitAtAny(text: string, characters: ReadonlySet<string>): string[] {
  const parts = [""];
  for (const character of text) {
    if (characters.has(character)) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** Rows of different lengths as a sparse tensor: indices, values, shape. */
function sparseRows(rows: readonly (readonly string[])[]): readonly Tensor[] {
  const indices = rows.flatMap((parts, row) => parts.flatMap((_, column) => [row, column]));
  const longest = Math.max(0, ...rows.map((parts) => parts.length));
  const values = rows.flat();
  return [
    int32Tensor([values.length, 2], indices),
    stringTensor([values.length], values),
    int32Tensor([2], [rows.length, longest]),
  ];
}

/** C's printf of one number: `%d`, `%f`, `%e` or `%g`, with precision, width and fill. */
function formatNumber(value: number, isBool: boolean, attrs: KernelAttrs): string {
  const text = isBool ? String(value !== 0) : formatDigits(value, attrs);
  const width = attrs.int("width", -1);
  const fill = attrs.text("fill", "");
  if (fill === "-") return text.padEnd(width);
  const sign = /^[+-]/.exec(text)?.[0] ?? (["+", " "].includes(fill) ? fill : "");
  const digits = text.replace(/^[+-]/, "");
  return fill === "0" ? sign + digits.padStart(width - sign.length, "0") : (sign + digits).padStart(width);
}

function formatDigits(value: number, attrs: KernelAttrs): string {
  if (!attrs.type("T", "DT_FLOAT").match(/^DT_(FLOAT|DOUBLE|HALF|BFLOAT16)$/)) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  const precision = attrs.int("precision", -1);
  const digits = precision < 0 ? 6 : precision;
  if (attrs.bool("scientific", false)) return padExponent(value.toExponential(digits));
  if (!attrs.bool("shortest", false)) return value.toFixed(digits);
  const exponent =
    value === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(value.toExponential(Math.max(digits, 1) - 1)))));
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(Math.max(digits, 1))));
  return padExponent(value.toExponential(Math.max(digits, 1) - 1).replace(/\.?0+e/, "e"));
}

/** C writes at least two digits of an exponent. */
function padExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}
