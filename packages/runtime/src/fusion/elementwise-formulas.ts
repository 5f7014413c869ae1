import { backend_util } from "@tensorflow/tfjs-core";
import type { GraphNode } from "../plan/graph-def.ts";

/** WGSL for what an op makes of its operands, which are names; all are of type `V`, float32 or a vector of them. */
type Formula = (a: string, b: string) => string;

// One by one: a bundler would keep all of `backend_util` to take it apart.
const p = backend_util.ERF_P;
const a1 = backend_util.ERF_A1;
const a2 = backend_util.ERF_A2;
const a3 = backend_util.ERF_A3;
const a4 = backend_util.ERF_A4;
const a5 = backend_util.ERF_A5;

/** Functions of one operand that a formula calls by its op's name; the formulas are those of TensorFlow.js's shaders. */
const functions: Readonly<Record<string, string>> = {
  Elu: "return select(exp(a) - 1.0, a, a >= V(0.0));",
  // Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26
  Erf: `let t = 1.0 / (1.0 + ${p} * abs(a));
  return sign(a) * (1.0 - ((((${a5} * t + ${a4}) * t + ${a3}) * t + ${a2}) * t + ${a1}) * t * exp(-a * a));`,
  Log: "return select(log(a), V(uniforms.NAN), a < V(0.0));",
  Relu: "return select(a, V(0.0), a < V(0.0));",
  Tanh: "let e = exp(-2.0 * abs(a));\n  return sign(a) * (1.0 - e) / (1.0 + e);",
};

const called = Object.keys(functions).map((op): readonly [string, Formula] => [op, (a) => `${op}(${a})`]);

const formulas: Readonly<Record<string, Formula>> = {
  ...Object.fromEntries(called),
  Abs: (a) => `abs(${a})`,
  Add: (a, b) => `${a} + ${b}`,
  AddV2: (a, b) => `${a} + ${b}`,
  BiasAdd: (a, b) => `${a} + ${b}`,
  Ceil: (a) => `ceil(${a})`,
  Div: (a, b) => `${a} / ${b}`,
  Exp: (a) => `exp(${a})`,
  Floor: (a) => `floor(${a})`,
  Mul: (a, b) => `${a} * ${b}`,
  Neg: (a) => `-${a}`,
  RealDiv: (a, b) => `${a} / ${b}`,
  Reciprocal: (a) => `1.0 / ${a}`,
  Relu6: (a) => `clamp(${a}, V(0.0), V(6.0))`,
  Rsqrt: (a) => `inverseSqrt(${a})`,
  Sigmoid: (a) => `1.0 / (1.0 + exp(-${a}))`,
  Sqrt: (a) => `sqrt(${a})`,
  Square: (a) => `${a} * ${a}`,
  SquaredDifference: (a, b) => `(${a} - ${b}) * (${a} - ${b})`,
  Sub: (a, b) => `${a} - ${b}`,
};

/** Whether a node computes an element of its result from one element of each input, by a formula here. */
export function isElementwise({ op, attrs, inputs }: GraphNode): boolean {
  const formula = Object.hasOwn(formulas, op) ? formulas[op] : undefined;
  if (formula?.length !== inputs.length || attrs.type("T", "") !== "DT_FLOAT") return false;
  return op !== "BiasAdd" || attrs.text("data_format", "NHWC") !== "NCHW";
}

/** What a node's result is, by the names of its operands. */
export function formulaOf({ op }: GraphNode, operands: readonly string[]): string {
  const [a = "", b = ""] = operands;
  return formulas[op]?.(a, b) ?? ""; // isElementwise saw to it
}

/** The text of the functions that formulas of these ops call. */
export function functionsOf(ops: readonly string[]): string {
  const used = Object.entries(functions).filter(([op]) => ops.includes(op));
  return used.map(([op, body]) => `fn ${op}(a : V) -> V {\n  ${body}\n}\n`).join("");
}
