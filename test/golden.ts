import { type DType, decodeText, dtypes, isDType, type Tensors } from "@nearside/core";
import type { GoldenRun } from "@nearside/core/testing";

/** One run that TensorFlow made, of the signature it was made with. */
export interface GoldenCase extends GoldenRun {
  readonly signature: string;
  /** False for a random op or state: then only the dtypes and shapes say anything. */
  readonly isDeterministic: boolean;
}

interface GoldenTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly b64: string | readonly string[];
}

interface GoldenJson {
  readonly tags?: readonly string[] | null;
  /** True where the cases are calls one after the other of one loaded model, whose variables they change. */
  readonly sequence?: boolean;
  readonly cases: readonly {
    readonly signature: string;
    readonly error?: string;
    readonly deterministic?: boolean | "sequence";
    readonly inputs: Readonly<Record<string, GoldenTensor>>;
    readonly outputs: Readonly<Record<string, GoldenTensor>>;
  }[];
}

/**
 * Reads golden.json: little-endian row-major bytes in base64, or a list of base64 strings. Leaves error cases out, and
 * in a sequence each call of a signature after another one came between: a signature that is converted by itself has
 * variables of its own.
 */
export function parseGolden(json: string): GoldenCase[] {
  const { cases, sequence = false } = JSON.parse(json) as GoldenJson; // our own files
  const isUndisturbed = ({ signature }: { readonly signature: string }, index: number) => {
    const first = cases.findIndex((each) => each.signature === signature);
    return cases.slice(first, index).every((each) => each.signature === signature);
  };
  return cases
    .filter((each, index) => !sequence || isUndisturbed(each, index))
    .filter(({ error }) => error === undefined)
    .map(({ signature, deterministic, inputs, outputs }) => ({
      signature,
      isDeterministic: deterministic !== false,
      inputs: decodeTensors(inputs),
      outputs: decodeTensors(outputs),
    }));
}

/**
 * The tags of the graph that golden.json is about, and its signatures: also those that have no golden value, but not
 * those that only TensorFlow calls.
 */
export function listGolden(json: string): { readonly tags: readonly string[]; readonly signatures: readonly string[] } {
  const { tags, cases } = JSON.parse(json) as GoldenJson; // our own files
  const signatures = new Set(cases.map(({ signature }) => signature).filter((name) => !name.startsWith("__")));
  return { tags: tags ?? ["serve"], signatures: [...signatures] };
}

function decodeTensors(tensors: Readonly<Record<string, GoldenTensor>>): Tensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, b64 }]) => {
      if (!isDType(dtype)) throw new Error(`"${name}": no tensor can hold ${dtype}`);
      return [name, { dtype, shape, data: decodeData(dtype, b64) }];
    }),
  ) as Tensors; // each dtype with the array of its row
}

function decodeData(dtype: DType, b64: GoldenTensor["b64"]) {
  if (typeof b64 !== "string") return b64.map((text) => decodeText(Buffer.from(text, "base64")));
  const bytes = new Uint8Array(Buffer.from(b64, "base64")); // a copy, so aligned
  return dtype === "string" ? [] : new dtypes[dtype].array(bytes.buffer);
}
