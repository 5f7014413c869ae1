import { expectTypeOf, test } from "vitest";
import type { ImageInput } from "./image-input.ts";
import type { RunState } from "./run-state.ts";
import type { AnyModel, InputsOf, RunOptions, Session } from "./session.ts";
import type { Tensor } from "./tensor.ts";

interface Captions {
  readonly inputs: { readonly picture: Tensor<"float32">; readonly ids: Tensor<"int32"> };
  readonly outputs: { readonly scores: Tensor<"float32"> };
}

test("a typed session takes an image for a float32 input, for no other, and no other name", () => {
  type Inputs = InputsOf<Captions>;
  expectTypeOf<Inputs["picture"]>().toEqualTypeOf<Tensor<"float32"> | ImageInput>();
  expectTypeOf<Inputs["ids"]>().toEqualTypeOf<Tensor<"int32">>();
  expectTypeOf<keyof Inputs>().toEqualTypeOf<"picture" | "ids">();
});

const picture: Tensor<"float32"> = { dtype: "float32", shape: [1], data: Float32Array.of(1) };
const ids: Tensor<"int32"> = { dtype: "int32", shape: [1], data: Int32Array.of(1) };

/** Only compiled: each of the calls marked so is a compile error. */
function callsOf(session: Session<Captions>, state: RunState, signal: AbortSignal, options: RunOptions): unknown[] {
  return [
    session.run({ picture, ids }),
    session.run({ picture, ids }, { signal }),
    session.run({ picture, ids }, options),
    // @ts-expect-error an input is missing
    session.run({ picture }),
    // @ts-expect-error an input is missing, and no state gives it
    session.run({ picture }, { signal }),
    // @ts-expect-error a misspelled input
    session.run({ picture, ids, idz: ids }),
    // @ts-expect-error a misspelled option
    session.run({ picture, ids }, { signl: signal }),
    session.run({ picture }, { state }),
    session.run({ picture }, { state, signal }),
    session.run({}, { state }),
    // @ts-expect-error a misspelled input
    session.run({ pictur: picture }, { state }),
    // @ts-expect-error an input of another dtype
    session.run({ ids: picture }, { state }),
    // @ts-expect-error a misspelled option
    session.run({ picture }, { state, signl: signal }),
  ];
}

test("a typed session's run takes all inputs, and with a state some of them, by no other name", () => {
  expectTypeOf(callsOf).returns.toEqualTypeOf<unknown[]>();
  expectTypeOf<ReturnType<Session<Captions>["run"]>>().resolves.toEqualTypeOf<Captions["outputs"]>();
});

test("a session without a type takes an image for any input", () => {
  expectTypeOf<InputsOf<AnyModel>[string]>().toEqualTypeOf<Tensor | ImageInput>();
});
