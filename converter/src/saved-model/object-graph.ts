import type { Checkpoint } from "./checkpoint.ts";
import { decode } from "./messages.ts";

/**
 * The checkpoint's key for each variable's full name, from the object graph that TensorFlow 2 stores among the
 * variables; names that more than one variable has are left out.
 */
export async function checkpointKeysByName(checkpoint: Checkpoint): Promise<ReadonlyMap<string, string>> {
  const value = checkpoint.value("_CHECKPOINTABLE_OBJECT_GRAPH", null);
  if (value?.dtype !== "DT_STRING") return new Map();
  const [bytes] = await checkpoint.readStrings(value);
  if (bytes === undefined) return new Map();
  const { nodes } = decode("TrackableObjectGraph", bytes, "variables/variables.index, object graph");
  const variables = nodes
    .flatMap(({ attributes }) => attributes)
    .filter(({ name, fullName }) => name === "VARIABLE_VALUE" && fullName !== "");
  const uses = new Map<string, number>();
  for (const { fullName } of variables) uses.set(fullName, (uses.get(fullName) ?? 0) + 1);
  return new Map(
    variables
      .filter(({ fullName }) => uses.get(fullName) === 1)
      .map(({ fullName, checkpointKey }) => [fullName, checkpointKey]),
  );
}
