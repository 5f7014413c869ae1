import { expect, test } from "vitest";
import { fixturesRoot } from "./fixtures.ts";
import { readSubjects } from "./fuzz/subjects.ts";
import { tryMutation } from "./fuzz/try-mutation.ts";

// A few of the mutations that `npm run fuzz` makes by the thousand, of the models that the project carries.
const models = [
  "linear-regression",
  "linear-regression.zip",
  "linear-regression.tar.gz",
  "linear-regression.json",
  "frozen",
] as const;

test.each(models)(
  "convert answers 40 damaged forms of %s with a typed error or a sound model",
  async (name) => {
    const [subject] = await readSubjects([name]);
    const results = new Set<string>();
    for (let index = 0; index < 40; index++) {
      if (subject === undefined) break;
      const { result, fault } = await tryMutation(subject, 7, index);
      expect(fault, `npm run fuzz -- --models ${name} --seed 7 --only ${index}`).toBeNull();
      results.add(result);
    }
    expect([...results]).toEqual(expect.arrayContaining(["converted", "data-loss"]));
  },
  180_000,
);

// Mutations with seed 11 that found faults, and what they must end in.
test.skipIf(fixturesRoot === undefined).each<[name: string, index: number, result: string]>([
  ["k3_conv_bn_relu", 9, "data-loss"], // another signature is damaged, which was read once all was written
  ["k3_conv_bn_relu", 433, "data-loss"],
  ["k3_lstm", 210, "data-loss"],
  ["tf_cond", 24, "data-loss"],
  ["tf_cond", 50, "data-loss"],
  ["tf_cond", 1194, "converted"], // more inputs of a node than the stack holds
  ["k3_conv_bn_relu", 1208, "data-loss"], // the fuzzer itself put a message into itself
  ["text_vectorization", 1943, "invalid-argument"], // two million shards
])("convert answers damaged %s, mutation %i, with %s", async (name, index, expected) => {
  const [subject] = await readSubjects([name]);
  if (subject === undefined) throw new Error(`no model ${name}`);
  expect(await tryMutation(subject, 11, index)).toMatchObject({ result: expected, fault: null });
});
