import { expect, test } from "vitest";
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
