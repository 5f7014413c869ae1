import { expect, test } from "vitest";
import { checkInputs, checkOutputs, formatSpec, type Signature } from "./signature.ts";

const signature: Signature = {
  inputs: { image: { dtype: "float32", shape: [null, 2, 2] }, any: { dtype: "int32", shape: null } },
  outputs: { scores: { dtype: "float32", shape: [null, 10] } },
};
const image = { dtype: "float32", shape: [1, 2, 2], data: new Float32Array(4) } as const;
const any = { dtype: "int32", shape: [2], data: new Int32Array(2) } as const;

test("checkInputs accepts what fits, with free dimensions and free ranks", () => {
  expect(() => checkInputs(signature, { image, any })).not.toThrow();
});

test("checkInputs says to add a batch axis where that is all that lacks", () => {
  const inputs = { image: { ...image, shape: [2, 2] }, any };
  const message = 'input "image": expected float32 [?,2,2], got float32 [2,2]; add a batch axis';
  expect(() => checkInputs(signature, inputs)).toThrow(message);
});

test.each([
  ["a misspelt name", { imgae: image, any }, 'input "imgae": the model\'s inputs are "image", "any"'],
  ["a missing input", { image }, 'input "any": expected int32 […], got nothing'],
  ["an inherited name", Object.assign(Object.create({ any }), { image }), 'input "any"'],
  ["a wrong dtype", { image: { ...any, shape: [2] }, any }, "expected float32 [?,2,2], got int32 [2]"],
  ["what only has pixels", { image: { pixels: [1, 2] }, any }, 'input "image": expected what image() made'],
  ["a closed image", { image: { ...image, pixels: { width: 0 } }, any }, 'input "image": its image was closed'],
  ["no object", undefined, "expected an object of tensors"],
])("checkInputs refuses %s", (_what, inputs, message) => {
  expect(() => checkInputs(signature, inputs)).toThrow(message);
});

test("checkOutputs lists the outputs there are", () => {
  expect(() => checkOutputs(signature, ["scores"])).not.toThrow();
  expect(() => checkOutputs(signature, ["score"])).toThrow('output "score": the model\'s outputs are "scores"');
});

test("formatSpec prints free dimensions and ranks", () => {
  expect(formatSpec({ dtype: "bool", shape: [null, 3] })).toBe("bool [?,3]");
  expect(formatSpec({ dtype: "bool", shape: null })).toBe("bool […]");
});
