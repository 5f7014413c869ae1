import { expect, test } from "vitest";
import { memorySource } from "../testing/memory-files.ts";
import { changesState } from "./changes-state.ts";

const type = (key: string) => `attr { key: "${key}" value { type: DT_FLOAT } }`;

/** A SavedModel whose signature `f` computes its output by `op`, of a variable, in a function that it calls. */
function modelOf(op: string) {
  const text = `
    saved_model_schema_version: 1
    meta_graphs {
      meta_info_def { tags: "serve" }
      graph_def {
        node { name: "v" op: "VarHandleOp" ${type("dtype")} }
        node { name: "call" op: "StatefulPartitionedCall" input: "v" attr { key: "f" value { func { name: "body" } } } }
        node { name: "y" op: "Identity" input: "call" ${type("T")} }
        node { name: "train" op: "AssignVariableOp" input: "v" input: "y" }
        library {
          function {
            signature { name: "body" input_arg { name: "v" type: DT_RESOURCE } output_arg { name: "y" type: DT_FLOAT } }
            node_def { name: "op" op: "${op}" input: "v" }
            ret { key: "y" value: "op:value:0" }
          }
        }
        versions { producer: 1000 }
      }
      signature_def { key: "f" value { outputs { key: "y" value { name: "y:0" dtype: DT_FLOAT tensor_shape { } } } } }
    }`;
  return memorySource({ "saved_model.pbtxt": new TextEncoder().encode(text) });
}

test.each([
  ["ReadVariableOp", false],
  ["ScatterNd", false],
  ["TensorScatterAdd", false],
  ["AssignAddVariableOp", true],
  ["ResourceApplyAdam", true],
  ["ResourceScatterNdUpdate", true],
  ["ScatterNdUpdate", true],
  ["LookupTableInsertV2", true],
] as const)("changesState knows of %s, and of nothing that the signature doesn't need", async (op, changes) => {
  expect(await changesState(modelOf(op), { signature: "f" })).toBe(changes);
});

test("changesState rejects for a signature that isn't there", async () => {
  await expect(changesState(modelOf("ReadVariableOp"))).rejects.toMatchObject({ code: "not-found" });
});
