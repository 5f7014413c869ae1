/** Protocol buffers by tables of fields, for whoever reads TensorFlow's files and messages. */
export { crc32c, maskCrc } from "./saved-model/crc32c.ts";
export { createDecoder, type Decode, type Field, type Message, type Messages } from "./saved-model/protobuf.ts";
export { decodeText, type TextOptions } from "./saved-model/text-format.ts";
