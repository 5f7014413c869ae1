import { EventEmitter, once } from "node:events";
import type { Tensors } from "@nearside/core";
import { connectSession } from "nearside";
import { expect, test } from "vitest";
import { fakeSession } from "../packages/server/testing/fake-repository.ts";
import { grpcClient } from "../packages/server/testing/grpc-client.ts";
import { serverOfFakes } from "./server-of-fakes.ts";

const spec = { dtype: "float32", shape: [null] } as const;
const rowOf = (value: number) => ({ x: { dtype: "float32", shape: [1], data: Float32Array.of(value) } }) as const;

test("C8 requests of a higher priority go first, from the SDK, over HTTP and gRPC", async () => {
  const order: (number | undefined)[] = [];
  const events = new EventEmitter();
  const session = fakeSession({ inputs: { x: spec }, outputs: { x: spec } }, async (inputs: Tensors) => {
    const value = inputs.x?.data[0] as number;
    order.push(value);
    events.emit("began");
    if (value === 0) await once(events, "go on");
    return inputs;
  });
  const server = await serverOfFakes(
    { m: session },
    {
      batching: { maxBatchSize: 1 },
      onBatching: (_model, event) => {
        if (event.type === "queue") events.emit(`waiting ${event.rows}`);
      },
    },
  );
  const near = await connectSession(server.url as string, "m");
  const far = grpcClient(server.grpcAddress as string);
  const post = (value: number, parameters: string) =>
    fetch(`${server.url}/v2/models/m/infer`, {
      method: "POST",
      body: `{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[${value}]}],"parameters":{${parameters}}}`,
    });
  try {
    const began = once(events, "began");
    const runs: Promise<unknown>[] = [near.run(rowOf(0))];
    await began;
    const later = [
      () => near.run(rowOf(1)),
      () => near.run(rowOf(2), { priority: 3 }),
      () => post(3, '"priority": 2'),
      () =>
        far.call("inference.GRPCInferenceService", "ModelInfer", {
          modelName: "m",
          inputs: [{ name: "x", datatype: "FP32", shape: [1], contents: { fp32Contents: [4] } }],
          parameters: new Map([["priority", { int64Param: 1n }]]),
        }),
    ];
    for (const [index, send] of later.entries()) {
      const waiting = once(events, `waiting ${index + 1}`);
      runs.push(send());
      await waiting;
    }
    events.emit("go on");
    await Promise.all(runs);
    expect(order).toEqual([0, 4, 3, 2, 1]);
  } finally {
    far.close();
    await near.close();
    await server.close();
  }
});
