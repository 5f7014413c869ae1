import { InferenceError } from "@nearside/core";
import type { InputShapes } from "../graph/input-shapes.ts";

/** What a flag's value may be: how to read it, and what stands for it in the help. */
interface Kind<T> {
  readonly placeholder: string;
  /** What the flag means without a value; a flag of a kind that lacks this needs one. */
  readonly bare?: T;
  /** True if the argument after a bare flag is its value and not the next path. */
  readonly takesNext: (text: string) => boolean;
  readonly parse: (text: string) => T | undefined;
}

/** A flag's form and what its help says. */
interface Flag {
  readonly kind: keyof typeof kinds;
  readonly about: string;
  readonly short?: string;
  /** The values that there are, where not any will do. */
  readonly choices?: readonly string[];
  /** Values that the Python converter has for it and we don't, and what to do about them. */
  readonly instead?: Readonly<Record<string, string>>;
}

const booleans: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false };
const always = () => true;
const isNoFlag = (text: string) => !text.startsWith("-");

/** The kinds of values. `parse` returns undefined for a text that isn't one. */
const kinds = {
  text: kind<string>({ placeholder: "TEXT", takesNext: always, parse: (text) => (text === "" ? undefined : text) }),
  list: kind<readonly string[]>({ placeholder: "A,B", takesNext: always, parse: parseList }),
  count: kind<number>({ placeholder: "N", takesNext: always, parse: parseCount }),
  boolean: kind<boolean>({
    placeholder: "[BOOL]",
    bare: true,
    takesNext: (text) => Object.hasOwn(booleans, text.toLowerCase()),
    parse: (text) => booleans[text.toLowerCase()],
  }),
  patterns: kind<true | readonly string[]>({
    placeholder: "[GLOBS]",
    bare: true,
    takesNext: isNoFlag,
    parse: parseList,
  }),
  number: kind<number>({ placeholder: "X", takesNext: always, parse: parsePositive }),
  json: kind<true | string>({
    placeholder: "[FILE]",
    bare: true,
    takesNext: (text) => isNoFlag(text) && text.endsWith(".json"),
    parse: (text) => (text === "" ? undefined : text),
  }),
  files: kind<Readonly<Record<string, string>>>({ placeholder: "KEY:FILE", takesNext: always, parse: parseFiles }),
  shapes: kind<InputShapes>({ placeholder: "NAME=SIZES", takesNext: always, parse: parseShapes }),
} as const;

/** The flags: those of the Python converter under their names, and a few of our own. */
export const flags = {
  input_format: {
    kind: "text",
    choices: ["tf_saved_model", "tf_frozen_model", "tfjs_graph_model"],
    about: "what the input is (tf_saved_model)",
    instead: {
      keras: "load it in Python, model.export(folder), and convert that folder",
      keras_keras: "load it in Python, model.export(folder), and convert that folder",
      keras_saved_model: "it is a SavedModel: use tf_saved_model",
      tf_hub: "download the model and convert its folder as tf_saved_model",
      tfjs_layers_model: "load it in Python, model.export(folder), and convert that folder",
    },
  },
  output_node_names: { kind: "list", about: "the nodes of a frozen graph to compute" },
  output_format: {
    kind: "text",
    choices: ["tfjs_graph_model"],
    about: "what the output is (tfjs_graph_model)",
    instead: { tfjs_layers_model: "openSession and tf.loadGraphModel run graph models: use tfjs_graph_model" },
  },
  signature_name: { kind: "text", about: "the signature to convert (serving_default)" },
  input_shape: {
    kind: "shapes",
    about: "fixes shapes that the model leaves open: x=1,224,224,3 or x=1,224,224,3,y=?,8",
  },
  all_signatures: { kind: "boolean", about: "converts every signature, each into a folder of its name" },
  saved_model_tags: { kind: "list", about: "the tags of the graph to convert (serve)" },
  quantize_float16: {
    kind: "patterns",
    about: "float32 weights become float16: those with names like GLOBS, or all others",
  },
  quantize_uint8: { kind: "patterns", about: "the same as uint8, with a range per weight" },
  quantize_uint16: { kind: "patterns", about: "the same as uint16" },
  quantize_int8: { kind: "patterns", about: "the same as int8, with a range per channel; needs the Nearside runtime" },
  quantize: { kind: "text", choices: ["auto"], about: "auto: int8, and larger types where max_error needs them" },
  max_error: { kind: "number", about: "the greatest relative error of an output that quantize=auto may cause (0.01)" },
  verify: { kind: "json", about: "runs the model before and after, on random inputs or those of a golden.json" },
  quantization_bytes: { kind: "text", choices: ["1", "2"], about: "an older way to say quantize_uint8 or _uint16" },
  weight_shard_size_bytes: { kind: "count", about: "the size of a weights file, at most (4194304)" },
  skip_op_check: { kind: "boolean", about: "converts ops that TensorFlow.js lacks, for you to register" },
  use_structured_outputs_names: {
    kind: "boolean",
    about: "whether TensorFlow.js's predict returns outputs by name (if several are named)",
  },
  metadata: { kind: "files", about: "JSON files to put into the model's userDefinedMetadata" },
  json: { kind: "boolean", about: "prints the report as one line of JSON" },
  report: { kind: "text", about: "writes a page about the conversion to this file: out.html" },
  strip_debug_ops: { kind: "boolean", about: "no effect: debug ops are always removed" },
  control_flow_v2: { kind: "boolean", about: "no effect: loops and branches are functions, or written out" },
  split_weights_by_layer: { kind: "boolean", about: "no effect: graph models have no layers" },
  experiments: { kind: "boolean", about: "no effect" },
  help: { kind: "boolean", short: "h", about: "prints this" },
  version: { kind: "boolean", short: "v", about: "prints the version" },
} as const satisfies Readonly<Record<string, Flag>>;

export type FlagName = keyof typeof flags;

/** The values of the flags that were given. */
export type FlagValues = {
  readonly [name in FlagName]?: NonNullable<ReturnType<(typeof kinds)[(typeof flags)[name]["kind"]]["parse"]>>;
};

/** What {@link flags} says of a flag, and its kind. */
export function flagOf(name: FlagName): Flag & Kind<unknown> {
  const flag: Flag = flags[name];
  return { ...flag, ...kinds[flag.kind] };
}

/** The value that `text` is for a flag. Throws `invalid-argument` where it is none. */
export function parseValue(name: FlagName, text: string): unknown {
  const { choices, instead = {}, parse, placeholder } = flagOf(name);
  const value = parse(text);
  if (value !== undefined && (choices === undefined || choices.includes(text))) return value;
  const expected = choices?.join(" or ") ?? expectations[placeholder] ?? "a value";
  const advice = Object.hasOwn(instead, text) ? `; ${instead[text]}` : "";
  const message = `--${name}: expected ${expected}, got ${JSON.stringify(text)}${advice}`;
  throw new InferenceError("invalid-argument", message);
}

const expectations: Readonly<Record<string, string>> = {
  N: "a whole number ≥ 1",
  X: "a number > 0",
  "[BOOL]": "true, false, 1 or 0",
  "KEY:FILE": "key:file.json, several separated by commas",
  "NAME=SIZES": "name=size,size,… (? for a size that stays open), several separated by commas",
};

function kind<T>(kind: Kind<T>): Kind<T> {
  return kind;
}

function parseList(text: string): readonly string[] | undefined {
  const items = text.split(",").filter((item) => item !== "");
  return items.length === 0 ? undefined : items;
}

function parseCount(text: string): number | undefined {
  const count = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

function parsePositive(text: string): number | undefined {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) && number > 0 ? number : undefined;
}

function parseFiles(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text.split(",").map((item) => /^([^:]+):(.+)$/.exec(item));
  return pairs.every((pair) => pair !== null)
    ? Object.fromEntries(pairs.map(([, key, path]) => [key, path]))
    : undefined;
}

/** `x=1,224,224,3,y=?,8`: a name begins where a comma is followed by one and an equals sign. */
function parseShapes(text: string): InputShapes | undefined {
  const pairs = text.split(/,(?=[^,=]+=)/).map((item) => /^([^=,]+)=((?:\d+|\?|-1)(?:,(?:\d+|\?|-1))*|)$/.exec(item));
  if (!pairs.every((pair) => pair !== null)) return undefined;
  const sizes = (list: string) => list.split(",").filter((size) => size !== "");
  return Object.fromEntries(
    pairs.map(([, name, list = ""]) => [name, sizes(list).map((size) => (/^\d/.test(size) ? Number(size) : null))]),
  );
}
