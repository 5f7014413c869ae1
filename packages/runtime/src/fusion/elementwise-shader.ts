import type { Block } from "./broadcast-blocks.ts";
import { formulaOf, functionsOf } from "./elementwise-formulas.ts";
import { type ElementwiseNode, keyOf } from "./elementwise-node.ts";

export type BlockField = keyof Block;

/** How an operand is read. */
export interface Operand {
  readonly name: string;
  /** How it is broadcast (see `broadcastBlocks`), but for one of the result's size; which fields its blocks need. */
  readonly blocks: readonly (readonly BlockField[])[] | undefined;
  /** Whether the elements of a vector are read at once; else one is read for all of them. */
  readonly isVector: boolean;
}

/** What the shader calls an input of the node. */
export function operandName(input: number): string {
  return `operand${input}`;
}

/** WGSL that computes the members one after the other, into `result`; `numbers` stand in the place of some inputs. */
export function writeFormulas(
  { inputs, members }: ElementwiseNode,
  numbers: readonly (number | undefined)[],
): { readonly body: string; readonly functions: string } {
  const values = new Map(
    inputs.map((ref, input) => {
      const number = numbers[input];
      return [keyOf(ref), number === undefined ? `${operandName(input)}Value` : literal(number)];
    }),
  );
  const lines = members.map((node, index) => {
    const operands = node.inputs.map((ref) => values.get(keyOf(ref)) as string); // an input or an earlier member
    values.set(keyOf({ node: node.name, output: 0 }), `value${index}`);
    return `  let value${index} = ${formulaOf(node, operands)};`;
  });
  return {
    body: [...lines, `  result[index] = value${members.length - 1};`].join("\n"),
    functions: functionsOf(members.map(({ op }) => op)),
  };
}

/** Bit by bit the number that float32 makes of it. */
function literal(number: number): string {
  return `V(bitcast<f32>(${new Uint32Array(Float32Array.of(number).buffer)[0]}u))`;
}

/** The uniforms for an operand's blocks, in TensorFlow.js's form. */
export function blockUniforms({ name, blocks = [] }: Operand): string {
  return blocks.flatMap((fields, block) => fields.map((field) => `${name}_${field}${block} : i32, `)).join("");
}

/**
 * The text of a shader with such formulas, for TensorFlow.js to put its declarations before. It computes `components`
 * elements at once, 4 or 1.
 */
export function elementwiseShader(
  { body, functions }: ReturnType<typeof writeFormulas>,
  operands: readonly Operand[],
  components: number,
): string {
  const reads = operands.map(
    (operand) => `  let ${operand.name}Value = V(${operand.name}[${placeIn(operand, components)}]);`,
  );
  return `
alias V = ${components === 4 ? "vec4<f32>" : "f32"};
${functions}
fn main(index : i32) {
  if (index >= uniforms.size) { return; }
  let place = index * ${components};
${reads.join("\n")}
${body}
}
`;
}

function placeIn({ name, blocks, isVector }: Operand, components: number): string {
  if (blocks === undefined) return "index";
  const terms = blocks.map((fields, block) => {
    const operators = { stride: "/", size: "%", step: "*" };
    const applied = fields.map((field) => ` ${operators[field]} uniforms.${name}_${field}${block}`);
    return applied.reduce((term, each) => `(${term}${each})`, "place");
  });
  const place = terms.join(" + ") || "0";
  return isVector ? `(${place}) / ${components}` : place;
}
