import { expect, test } from "vitest";
import { adviceFor } from "./advice.ts";

test.each([
  ["DecodeJpeg", "TensorFlow.js has no such op", "do that in the program"],
  ["StatelessRandomUniformV2", "TensorFlow.js has no such op", "make the random numbers an input"],
  ["AssignVariableOp", "it changes the model's state", "take the state as an input"],
  ["VarHandleOp", "its variable doesn't stay as it is", "take the state as an input"],
  ["FusedBatchNormV3", "TensorFlow.js runs it with is_training false only, not true", "training=False"],
  ["Merge", "branches in TensorFlow 1's form are not converted by this version", "tf.function"],
  ["MutableHashTableV2", "it changes the model's state", "tf.lookup.StaticHashTable"],
  ["Betainc", "TensorFlow.js has no such op", "replace it in the model"],
])("adviceFor %s, %s, says what to do", (op, problem, expected) => {
  expect(adviceFor(op, problem)).toContain(expected);
});
