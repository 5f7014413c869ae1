import { InferenceError, type Session, type Signature, type Tensors } from "@nearside/core";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../testing/memory-files.ts";
import { randomInputs } from "./random-inputs.ts";
import type { OpenModel } from "./run-model.ts";
import { verify } from "./verify.ts";

const signature: Signature = {
  inputs: { x: { dtype: "float32", shape: [null, 3] } },
  outputs: { y: { dtype: "float32", shape: [null, 3] } },
};
const [reference, candidate] = [memorySource({}), memorySource({})];

/** Opens the reference as a model that multiplies by 3, the candidate as `compute`. */
function opener(
  compute: (x: number) => number,
  refuses: (inputs: Tensors) => boolean = () => false,
  computeReference = (x: number) => 3 * x,
): OpenModel {
  return async (source) => {
    const apply = source === reference ? computeReference : compute;
    return {
      model: "test",
      signature,
      backend: "cpu",
      location: "local",
      keepsState: false,
      memory: async () => ({ deviceBytes: 0, tensors: 0 }),
      run: async (inputs: Tensors) => {
        if (refuses(inputs)) throw new InferenceError("internal", "no such size");
        const { x } = inputs as { x: Tensors[string] & { data: Float32Array } };
        return { y: { ...x, data: x.data.map(apply) } };
      },
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    } as Partial<Session> as Session; // what verifying uses
  };
}

describe("verify", () => {
  test("compares two models on random inputs", async () => {
    const right = await verify(reference, candidate, { openModel: opener((x) => 3 * x) });
    expect(right).toMatchObject({ inputs: "random", runs: 3, isOff: false, source: { y: { maxAbsolute: 0 } } });
    const wrong = await verify(reference, candidate, { openModel: opener((x) => 3.03 * x) });
    expect(wrong).toMatchObject({ isOff: true, randomOutputs: [], source: { y: { relative: expect.closeTo(0.01) } } });
    const tolerated = await verify(reference, candidate, { openModel: opener((x) => 3.03 * x), tolerance: 0.1 });
    expect(tolerated.isOff).toBe(false);
  });

  test("compares with golden outputs, and judges by those", async () => {
    const x = { dtype: "float32", shape: [1, 3], data: Float32Array.of(1, 2, 3) } as const;
    const y = { ...x, data: Float32Array.of(4, 8, 12) };
    const golden = [{ signature: "a", isDeterministic: true, inputs: { x }, outputs: { y } }];
    const {
      golden: beside,
      source,
      ...rest
    } = await verify(reference, candidate, {
      openModel: opener((value) => 4 * value),
      golden,
    });
    expect(rest).toMatchObject({ inputs: "golden", runs: 1, isOff: false });
    expect(beside?.y?.maxAbsolute).toBe(0);
    expect(source.y?.maxAbsolute).toBe(3);
  });

  test("compares nothing but the shape of an output that is random", async () => {
    const openModel = opener(Math.random, undefined, Math.random);
    const { isOff, randomOutputs } = await verify(reference, candidate, { openModel });
    expect({ isOff, randomOutputs }).toEqual({ isOff: false, randomOutputs: ["y"] });
  });

  test("tries other sizes where a model refuses one, and says so where it refuses all", async () => {
    const refusesTwo = ({ x }: Tensors) => x?.shape[0] === 2;
    const { isOff } = await verify(reference, candidate, { openModel: opener((x) => 3 * x, refusesTwo) });
    expect(isOff).toBe(false);
    const run = verify(reference, candidate, {
      openModel: opener(
        (x) => x,
        () => true,
      ),
    });
    await expect(run).rejects.toMatchObject({ code: "unsupported", message: expect.stringContaining("no such size") });
  });
});

describe("randomInputs", () => {
  test("fit the signature, and are the same for the same seed", () => {
    const inputs: Signature["inputs"] = {
      image: { dtype: "float32", shape: [null, 4, null] },
      ids: { dtype: "int64", shape: [null] },
      mask: { dtype: "bool", shape: [5] },
      text: { dtype: "string", shape: null },
    };
    const drawn = randomInputs({ inputs, outputs: {} }, [2, 3], 7);
    expect(Object.values(drawn).map(({ shape }) => shape)).toEqual([[2, 4, 3], [2], [5], [2]]);
    expect(drawn).toEqual(randomInputs({ inputs, outputs: {} }, [2, 3], 7));
    expect(drawn).not.toEqual(randomInputs({ inputs, outputs: {} }, [2, 3], 8));
    expect(drawn.image?.data.every((value) => Math.abs(Number(value)) <= 1)).toBe(true);
  });
});
