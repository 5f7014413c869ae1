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

// Mutations that found faults, and what they must end in.
test.skipIf(fixturesRoot === undefined).each<[name: string, seed: number, index: number, result: string]>([
  ["k3_conv_bn_relu", 11, 9, "data-loss"], // another signature is damaged, which was read once all was written
  ["k3_conv_bn_relu", 11, 433, "data-loss"],
  ["k3_lstm", 11, 210, "data-loss"],
  ["tf_cond", 11, 24, "data-loss"],
  ["tf_cond", 11, 50, "data-loss"],
  ["tf_cond", 11, 1194, "converted"], // more inputs of a node than the stack holds
  ["k3_conv_bn_relu", 11, 1208, "data-loss"], // the fuzzer itself put a message into itself
  ["text_vectorization", 11, 1943, "data-loss"], // two million shards, once; its constants of one element are too large
  ["text_vectorization", 2026, 989, "data-loss"], // an input of an op called as a member that every object has
  ["k3_conv_bn_relu", 2026, 1147, "unsupported"], // a constant computed of itself over and over, whose text filled the memory
  // These took longer than 2 s.
  ["k3_conv_bn_relu", 11, 222, "converted"], // a long function, copied by passes that found nothing
  ["k3_conv_bn_relu", 11, 1342, "converted"], // a path of identities, walked anew from each node on it
  ["k3_lstm", 11, 1366, "unsupported"], // a long function, and thousands of nodes with one problem
  ["k3_lstm", 2026, 1585, "data-loss"], // a sum that takes its own result 19,473 times
  ["tf_cond", 11, 619, "converted"],
  ["text_vectorization", 5, 183, "converted"], // nodes with many inputs
])("convert answers damaged %s, seed %i, mutation %i, with %s", async (name, seed, index, expected) => {
  const [subject] = await readSubjects([name]);
  if (subject === undefined) throw new Error(`no model ${name}`);
  expect(await tryMutation(subject, seed, index)).toMatchObject({ result: expected, fault: null });
});
