import { parseManifest, type Tensor, tensorflowNames } from "@nearside/core";
import type { LoadedBackend } from "../src/backends/loaded-backend.ts";
import { openLocalSession } from "../src/local-session.ts";

/** A node's attributes as they are in model.json, but for text, which stands as it is. */
export type JsonAttrs = Readonly<Record<string, unknown>>;

export interface OneOp {
  readonly op: string;
  readonly attrs?: JsonAttrs;
  readonly inputs: readonly Tensor[];
  /** The dtypes of the outputs. */
  readonly outputs: readonly Tensor["dtype"][];
}

/** Runs a graph model of one node, loaded like any other, and gives its outputs in order. */
export async function runOp({ op, attrs = {}, inputs, outputs }: OneOp, backend: LoadedBackend): Promise<Tensor[]> {
  const info = (name: string, dtype: Tensor["dtype"]) => ({
    name,
    dtype: tensorflowNames[dtype],
    tensorShape: { unknownRank: true },
  });
  const placeholders = inputs.map(({ dtype }, index) => ({
    name: `x${index}`,
    op: "Placeholder",
    attr: { dtype: { type: tensorflowNames[dtype] }, shape: { shape: { unknownRank: true } } },
  }));
  const results = outputs.map((dtype, index) => ({
    name: `y${index}`,
    op: "Identity",
    input: [`node:${index}`],
    attr: { T: { type: tensorflowNames[dtype] } },
  }));
  const manifest = parseManifest(
    JSON.stringify({
      format: "graph-model",
      signature: {
        inputs: Object.fromEntries(inputs.map(({ dtype }, index) => [`x${index}`, info(`x${index}:0`, dtype)])),
        outputs: Object.fromEntries(outputs.map((dtype, index) => [`y${index}`, info(`y${index}:0`, dtype)])),
      },
      modelTopology: {
        node: [
          ...placeholders,
          { name: "node", op, input: placeholders.map(({ name }) => name), attr: encodeAttrs(attrs) },
          ...results,
        ],
        versions: {},
      },
      weightsManifest: [],
    }),
  );
  const readShard = () => Promise.reject(new Error("it has no weights"));
  await using session = await openLocalSession(op, { manifest, readShard }, backend, { warmUp: false });
  const computed = await session.run(Object.fromEntries(inputs.map((input, index) => [`x${index}`, input])));
  return outputs.map((_, index) => computed[`y${index}`] as Tensor); // the outputs of the signature above
}

function encodeAttrs(attrs: JsonAttrs): unknown {
  return JSON.parse(JSON.stringify(attrs), (key, value) => {
    if (key !== "s") return value;
    const encode = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
    return Array.isArray(value) ? value.map(encode) : encode(value);
  });
}
