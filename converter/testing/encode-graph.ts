import { type EncodedField, encodeProto } from "./encode-proto.ts";

/** An attribute's name and the bytes of its AttrValue. */
export type EncodedAttr = readonly [name: string, value: Uint8Array];

/** TensorFlow's numbers of the dtypes that tests need. */
export const dtypeNumbers = { float32: 1, int32: 3, string: 7, complex64: 8, bool: 10 } as const;
type TestDType = keyof typeof dtypeNumbers;

/** The bytes of a GraphDef with these nodes, a frozen graph. */
export function encodeGraph(...nodes: readonly Uint8Array[]): Uint8Array {
  return encodeProto(...nodes.map((node) => [1, node] as const));
}

/** A NodeDef; most ops have the dtype of their inputs as `T`. */
export function encodeNode(
  name: string,
  op: string,
  inputs: readonly string[],
  attrs: readonly EncodedAttr[] = [typeAttr("T", "float32")],
): Uint8Array {
  return encodeProto(
    [1, name],
    [2, op],
    ...inputs.map((input) => [3, input] as const),
    ...attrs.map(([key, value]) => [5, encodeProto([1, key], [2, value])] as const),
  );
}

/** A Placeholder of float32; −1 is an unknown size. */
export function encodePlaceholder(name: string, shape: readonly number[]): Uint8Array {
  return encodeNode(name, "Placeholder", [], [typeAttr("dtype", "float32"), ["shape", encodeProto([7, sizes(shape)])]]);
}

/** A Const; one value stands for all where there are fewer values than the shape has elements. */
export function encodeConstant(
  name: string,
  dtype: TestDType,
  shape: readonly number[],
  values: readonly (number | string | boolean)[],
): Uint8Array {
  const fields = values.map((value): EncodedField => {
    if (typeof value === "string") return [8, value];
    if (dtype === "complex64") return [9, { float: Number(value) }];
    if (dtype === "float32") return [5, { float: Number(value) }];
    return [dtype === "bool" ? 11 : 7, Number(value)];
  });
  const tensor = encodeProto([1, dtypeNumbers[dtype]], [2, sizes(shape)], ...fields);
  return encodeNode(name, "Const", [], [typeAttr("dtype", dtype), ["value", encodeProto([8, tensor])]]);
}

export function typeAttr(name: string, dtype: TestDType): EncodedAttr {
  return [name, encodeProto([6, dtypeNumbers[dtype]])];
}

export function textAttr(name: string, text: string): EncodedAttr {
  return [name, encodeProto([2, text])];
}

export function boolAttr(name: string, value: boolean): EncodedAttr {
  return [name, encodeProto([5, Number(value)])];
}

export function floatAttr(name: string, value: number): EncodedAttr {
  return [name, encodeProto([4, { float: value }])];
}

export function listAttr(name: string, values: readonly number[]): EncodedAttr {
  return [name, encodeProto([1, encodeProto(...values.map((value) => [3, value] as const))])];
}

function sizes(shape: readonly number[]): Uint8Array {
  return encodeProto(...shape.map((size) => [2, encodeProto([1, size])] as const));
}
