import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Device } from "../plan/device.ts";
import type { GraphNode } from "../plan/graph-def.ts";
import type { Step } from "../plan/plan.ts";
import type { Running } from "../plan/run-plan.ts";
import { release, type Value } from "../plan/value.ts";
import { withSum } from "../products/with-sum.ts";
import { toElementwise } from "./group-elementwise.ts";
import type { SumNode } from "./group-sums.ts";

/** Makes a node ready to run. */
export type BindNode = (node: GraphNode, known: readonly (Value | undefined)[]) => Step["run"];

/** Makes such a node ready to run as one shader. Where that can't be, what follows the product is computed after it. */
export function bindSum(
  { product, rest, activation }: SumNode,
  known: readonly (Value | undefined)[],
  device: Device,
  bindNode: BindNode,
): Step["run"] {
  const run = bindNode(product, known.slice(0, -1));
  const [addition] = rest as readonly [GraphNode];
  const last = rest.at(-1) as GraphNode; // it has one
  const runRest = bindNode(last === addition ? addition : toElementwise(rest, last), []);
  const [own] = addition.inputs;
  const isFirst = own?.node === product.name;
  return (inputs) => {
    const addend = inputs.at(-1) as TensorInfo; // not a list: the graph is typed
    const sum = { addend, activation, isDone: false };
    const result = withSum(device.backend, sum, () => run(inputs.slice(0, -1))) as TensorInfo; // products never wait
    if (sum.isDone) return addend.shape.length > result.shape.length ? { ...result, shape: addend.shape } : result;
    return finishSum(() => runRest(isFirst ? [result, addend] : [addend, result]), result, device);
  };
}

function* finishSum(
  rest: () => ReturnType<Step["run"]>,
  product: TensorInfo,
  device: Device,
): Running<readonly Value[]> {
  try {
    const started = rest();
    if (started instanceof Promise) return [(yield started) as Value].flat();
    return "next" in started ? yield* started : [started as Value].flat();
  } finally {
    release(product, device);
  }
}
