import { decodeText } from "@nearside/converter/protobuf";
import { InferenceError } from "@nearside/core";
import type { Proto, ProtoName } from "./codec.ts";
import { messages } from "./protos.ts";

/**
 * Reads a message of {@link messages} from protocol buffers' text format, as people write configuration files in it.
 * Throws `invalid-argument`, naming `where` and the line, also for fields that there are not.
 */
export function parseTextProto<N extends ProtoName>(name: N, text: string, where: string): Proto<N> {
  // The values were read by the very tables that the type is inferred from.
  return decodeText(messages, name, text, where, { isStrict: true, fail }) as Proto<N>;
}

function fail(where: string, expected: string, got: string): InferenceError {
  return new InferenceError("invalid-argument", `${where}: expected ${expected}, got ${got}`);
}
