import { expect, test } from "vitest";
import { memorySink, memorySource } from "../testing/memory-files.ts";
import { graph, node, scalar } from "../testing/tiny-graph.ts";
import { convertSignature } from "./convert.ts";
import { damaged } from "./damaged.ts";
import { openCheckpoint } from "./saved-model/checkpoint.ts";

test("convert writes nothing where another signature, which may change its variables, is damaged", async () => {
  const float = { dtype: { type: "DT_FLOAT" } } as const;
  const nodes = [
    node("x", "Placeholder", [], { attrs: float }),
    node("w", "VarHandleOp", [], { attrs: float, value: scalar(2) }),
    node("read", "ReadVariableOp", ["w"], { attrs: float }),
    node("y", "Mul", ["x", "read"], { attrs: { T: { type: "DT_FLOAT" } } }),
  ];
  const source = memorySource({});
  const checkpoint = await openCheckpoint(source, "variables");
  const open = (writers: () => ReadonlyMap<string, readonly string[]>) => async () => ({
    tensorflowVersion: "2.21.0",
    producer: 1,
    graph: graph(nodes, ["y"]),
    writers,
    checkpoint,
  });
  const written: string[] = [];
  const sink = memorySink();
  const counting = {
    ...sink,
    write: async (path: string, bytes: Uint8Array) => {
      written.push(path);
      await sink.write(path, bytes);
    },
  };
  const broken = open(() => {
    throw damaged("saved_model.pb", "an input node", "none");
  });
  await expect(convertSignature(broken, source, counting, {})).rejects.toMatchObject({ code: "data-loss" });
  expect(written).toEqual([]);
  await convertSignature(
    open(() => new Map()),
    source,
    counting,
    {},
  );
  expect(written).toContain("model.json");
});
