import { expectTypeOf, test } from "vitest";
import type { ImageInput } from "./image-input.ts";
import type { AnyModel, InputsOf, Session } from "./session.ts";
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
  expectTypeOf<Session<Captions>["run"]>().parameter(0).toEqualTypeOf<Inputs>();
});

test("a session without a type takes an image for any input", () => {
  expectTypeOf<InputsOf<AnyModel>[string]>().toEqualTypeOf<Tensor | ImageInput>();
});
