import { InferenceError, type Session, type Tensors } from "@nearside/core";
import type { FileSource } from "../files.ts";
import type { GoldenCase } from "./golden.ts";
import { type OutputError, outputErrors } from "./output-errors.ts";
import { type OpenModel, runModel } from "./run-model.ts";

/** How far a converted model's outputs are off. */
export interface Verification {
  /** What it was run on, and how often. */
  readonly inputs: "random" | "golden";
  readonly runs: number;
  readonly backend: Session["backend"];
  /** Each output beside that of the graph as it was, neither optimised nor quantised, on the same backend. */
  readonly source: Readonly<Record<string, OutputError>>;
  /** Each output beside the golden one, where such were given. */
  readonly golden?: Readonly<Record<string, OutputError>>;
  /** Outputs that differ from run to run: of these only dtype and shape were compared. */
  readonly randomOutputs: readonly string[];
  /** True if an output is off by more than the tolerance: from the golden one, where such were given. */
  readonly isOff: boolean;
}

export interface VerifyOptions {
  readonly openModel: OpenModel;
  /** What to run on and to compare with; random inputs if none are given. */
  readonly golden?: readonly GoldenCase[] | undefined;
  /** The greatest |got − want| / (1 + |want|) that is right: by default what arithmetic in another order may cause. */
  readonly tolerance?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs two graph models on the same inputs, and says how far the candidate's outputs are off from the reference's, and
 * from the golden ones where such are given. Rejects as `openModel` and the sessions do, and with `unsupported` where
 * the reference can't be run on random inputs.
 */
export async function verify(
  reference: FileSource,
  candidate: FileSource,
  { openModel, golden, tolerance = 1e-4, signal }: VerifyOptions,
): Promise<Verification> {
  const given = golden?.map(({ inputs }) => inputs);
  const expected = await runModel(reference, openModel, given, signal);
  const inputs = expected.runs.map((run) => run.inputs);
  const want = expected.runs.map((run) => run.outputs);
  const actual = await runModel(candidate, openModel, inputs, signal);
  const got = actual.runs.map((run) => run.outputs);
  let source = outputErrors(got, want);
  let randomOutputs: readonly string[] = [];
  if (isAnyOff(source, tolerance)) {
    // A model that draws random numbers differs from itself.
    const again = await runModel(reference, openModel, inputs, signal);
    const itself = outputErrors(
      again.runs.map((run) => run.outputs),
      want,
    );
    randomOutputs = Object.keys(itself).filter((name) => (itself[name]?.maxAbsolute ?? 0) > 0);
    source = outputErrors(withoutValues(got, randomOutputs), withoutValues(want, randomOutputs));
  }
  const compared = golden && compareGolden(got, golden, randomOutputs);
  return {
    inputs: golden === undefined ? "random" : "golden",
    runs: inputs.length,
    backend: actual.backend,
    source,
    ...(compared && { golden: compared }),
    randomOutputs,
    isOff: isAnyOff(compared ?? source, tolerance),
  };
}

/**
 * The golden cases of a signature. Throws `invalid-argument`, saying which signatures there are, where it has none.
 */
export function goldenFor(cases: readonly GoldenCase[], signature: string): readonly GoldenCase[] {
  const found = cases.filter((golden) => golden.signature === signature);
  if (found.length > 0) return found;
  const there = [...new Set(cases.map((golden) => JSON.stringify(golden.signature)))].join(", ") || "none";
  const message = `verify: expected golden values of signature "${signature}", got those of ${there}`;
  throw new InferenceError("invalid-argument", `${message}; leave them out to run on random inputs`);
}

function compareGolden(got: readonly Tensors[], golden: readonly GoldenCase[], randomOutputs: readonly string[]) {
  const isRandom = golden.some(({ isDeterministic }) => !isDeterministic);
  const names = isRandom ? Object.keys(golden[0]?.outputs ?? {}) : randomOutputs;
  const want = golden.map(({ outputs }) => outputs);
  return outputErrors(withoutValues(got, names), withoutValues(want, names));
}

/** The outputs, of which these keep their dtypes and shapes alone. */
function withoutValues(runs: readonly Tensors[], names: readonly string[]): readonly Tensors[] {
  if (names.length === 0) return runs;
  return runs.map((outputs) =>
    Object.fromEntries(
      Object.entries(outputs).map(([name, tensor]) => [
        name,
        names.includes(name) ? { ...tensor, data: tensor.data.slice(0, 0) } : tensor,
      ]),
    ),
  ) as readonly Tensors[]; // each with the array of its dtype
}

function isAnyOff(errors: Readonly<Record<string, OutputError>>, tolerance: number): boolean {
  return Object.values(errors).some(({ maxRelative }) => maxRelative > tolerance || !Number.isFinite(maxRelative));
}
