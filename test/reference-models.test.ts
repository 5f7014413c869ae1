import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Session, Tensors } from "@nearside/core";
import { expectClose } from "@nearside/core/testing";
import { openSession } from "@nearside/server";
import { describe, expect, test } from "vitest";
import { fixturesRoot, readGolden } from "./fixtures.ts";

const made = fixturesRoot === undefined ? undefined : join(fixturesRoot, "made");

/** The models that the Python converter wrote, in folders named by signature, or by a variant of `serving_default`. */
async function findReferences(): Promise<readonly { name: string; variant: string; folder: string }[]> {
  if (made === undefined) return [{ name: "none", variant: "", folder: "" }];
  const found = [];
  for (const name of await readdir(made)) {
    const folder = join(made, name, "reference");
    const variants = await readdir(folder).catch(() => []); // it refused the model
    found.push(...variants.map((variant) => ({ name, variant, folder: join(folder, variant) })));
  }
  return found;
}

/** It loses names where there are several: inputs get a `:0`, and outputs are numbered in the order of their names. */
function withItsNames(
  { signature }: Session,
  inputs: Tensors,
  outputs: Tensors,
): { inputs: Tensors; outputs: Tensors } {
  const inputName = (name: string) => (name in signature.inputs ? name : `${name}:0`);
  const outputName = (name: string, index: number) =>
    name in signature.outputs ? name : `Identity${index === 0 ? "" : `_${index}`}:0`;
  const rename = (tensors: Tensors, nameOf: (name: string, index: number) => string): Tensors => {
    const sorted = Object.entries(tensors).sort(([left], [right]) => (left < right ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, tensor], index) => [nameOf(name, index), tensor]));
  };
  return { inputs: rename(inputs, inputName), outputs: rename(outputs, outputName) };
}

/** What can't be told here, or not be run: on one backend where it is named. */
const exceptions: Readonly<Record<string, string>> = {
  "bert_tiny serving_default__skip_op_check": "Erfc, which nothing here runs, was let through",
  "vit_tiny serving_default__skip_op_check": "Erfc, which nothing here runs, was let through",
  "dtypes tfjs": "its golden value is float16, which no tensor holds",
  "hash_table_int serving_default": "its golden ids are beyond int32",
  "int64_math narrow_casts": "int16, which no tensor of a run holds",
  "int64_math serving_default": "its golden integers are beyond int32",
  "int64_math small on wasm": "it divides by zero when it is warmed up, which ends WebAssembly",
};

const references = await findReferences();

describe.each(["wasm", "cpu"] as const)("the Python converter's models on %s", (backend) => {
  test.for(references)("$name $variant", async ({ name, variant, folder }, ctx) => {
    if (made === undefined) return ctx.skip("the fixtures (../shared/fixtures) are not here");
    const exception = exceptions[`${name} ${variant}`] ?? exceptions[`${name} ${variant} on ${backend}`];
    if (exception !== undefined) return ctx.skip(exception);
    const signature = variant.startsWith("tfjs") ? "serving_default" : (variant.split("__")[0] as string);
    const cases = await readGolden(join(made, name), signature);
    expect(cases.length).toBeGreaterThan(0);
    await using session = await openSession(folder, { backend });
    for (const golden of cases) {
      const { inputs, outputs } = withItsNames(session, golden.inputs, golden.outputs);
      const wanted = Object.keys(outputs); // it writes what nothing asked for, too
      expectClose(await session.run(inputs, { outputs: wanted }), outputs);
    }
  });
});
