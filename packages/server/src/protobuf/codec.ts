import { createDecoder, type Decode, type Message } from "@nearside/converter/protobuf";
import { createEncoder, type Encode } from "./encode.ts";
import { messages } from "./protos.ts";

/** The name of a message of {@link messages}. */
export type ProtoName = keyof typeof messages;

/** A decoded message. */
export type Proto<N extends ProtoName> = Message<typeof messages, N>;

/** Reads a message of {@link messages} from bytes. Throws `data-loss`, naming `where`. */
export const decodeProto: Decode<typeof messages> = createDecoder(messages);

/** Writes a message of {@link messages}; fields that aren't given have their zero. */
export const encodeProto: Encode<typeof messages> = createEncoder(messages);
