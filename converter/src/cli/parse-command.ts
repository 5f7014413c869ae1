import { InferenceError } from "@nearside/core";
import type { ConvertOptions } from "../convert.ts";
import type { QuantizeOptions } from "../graph-model/quantize-options.ts";
import { checkQuantizeOptions } from "../graph-model/quantize-options.ts";
import type { FlagName, FlagValues } from "./flags.ts";
import { type ParsedFlags, parseFlags } from "./parse-flags.ts";

/** What to do, as the arguments say. */
export type Command =
  | { readonly name: "help" | "version" }
  | { readonly name: "inspect"; readonly input: string; readonly isJson: boolean }
  | {
      readonly name: "convert";
      readonly input: string;
      readonly output: string;
      readonly options: ConvertOptions;
      /** One signature of a model, or all of them, or a graph model that is to be written anew. */
      readonly what: "signature" | "every-signature" | "graph-model";
      /** JSON files for the metadata, by their keys. */
      readonly metadataFiles: Readonly<Record<string, string>>;
      /** Verify what is written: on random inputs, or on those of this golden.json. */
      readonly verify: boolean | string;
      readonly isJson: boolean;
      /** Where to write the page about the conversion, if anywhere. */
      readonly reportFile: string | undefined;
      /** What a person should know of flags that do nothing here. */
      readonly notices: readonly string[];
    };

/** The command that the arguments give. Throws `invalid-argument` where they give none, saying what is wrong. */
export function parseCommand(args: readonly string[]): Command {
  const parsed = parseFlags(args);
  const { values, positionals } = parsed;
  if (values.help) return { name: "help" };
  if (values.version) return { name: "version" };
  if (positionals[0] === "inspect") return parseInspect(values, positionals.slice(1));
  const [input, output] = positionals;
  if (input === undefined || output === undefined || positionals.length > 2) throw wrongPaths(parsed);
  if (values.all_signatures && values.signature_name !== undefined) {
    throw wrong("--all_signatures: it takes every signature; leave out --signature_name");
  }
  const isGraphModel = values.input_format === "tfjs_graph_model";
  if (isGraphModel) checkRepackable(values);
  return {
    name: "convert",
    input: folderOf(input, values),
    output,
    options: { ...optionsFrom(values), ...frozenGraphFrom(values, input) },
    what: isGraphModel ? "graph-model" : values.all_signatures ? "every-signature" : "signature",
    metadataFiles: values.metadata ?? {},
    verify: values.verify ?? false,
    isJson: values.json ?? false,
    reportFile: values.report,
    notices: noticesOf(values),
  };
}

function parseInspect(values: FlagValues, paths: readonly string[]): Command {
  const [input] = paths;
  const other = Object.keys(values).find((name) => name !== "json");
  if (other !== undefined) throw wrong(`--${other}: inspect takes no such flag, it looks at everything; leave it out`);
  if (input === undefined || paths.length > 1) throw wrong(`inspect: expected one path, got ${paths.length}`);
  return { name: "inspect", input, isJson: values.json ?? false };
}

/** Too few paths often means that a flag without a value took one: `--quantize_uint8 in out`. */
function wrongPaths({ positionals, taken }: ParsedFlags): InferenceError {
  const message = `expected a model's folder and an output folder, got ${positionals.length} paths`;
  const [flag] = positionals.length < 2 ? taken : [];
  if (flag === undefined) return wrong(message);
  return wrong(`${message}; --${flag.flag} took "${flag.text}" for its value: put that flag after the paths`);
}

/** The folder to read: a frozen graph is a file in it, and a graph model may be given by its model.json. */
function folderOf(input: string, { input_format }: FlagValues): string {
  const isFile =
    input_format === "tf_frozen_model" || (input_format === "tfjs_graph_model" && /(^|[\\/])model\.json$/.test(input));
  return isFile ? input.replace(/[^\\/]*$/, "") || "." : input;
}

/** A graph model keeps its graph, so only flags about its weights and metadata mean something. */
function checkRepackable(values: FlagValues): void {
  const other = Object.keys(values).find((name) => graphFlags.has(name));
  if (other === undefined) return;
  throw wrong(`--${other}: a converted model's graph stays as it is; leave this flag out, or convert the SavedModel`);
}

const graphFlags: ReadonlySet<string> = new Set<FlagName>([
  "all_signatures",
  "input_shape",
  "output_node_names",
  "saved_model_tags",
  "signature_name",
  "skip_op_check",
  "use_structured_outputs_names",
]);

function optionsFrom(values: FlagValues): ConvertOptions {
  const options = {
    signature: values.signature_name,
    tags: values.saved_model_tags,
    inputShapes: values.input_shape,
    shardBytes: values.weight_shard_size_bytes,
    quantize: quantizeFrom(values),
    skipOpCheck: values.skip_op_check,
    structuredOutputs: values.use_structured_outputs_names,
  };
  // What isn't given is left out, so that it has its default.
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function frozenGraphFrom(values: FlagValues, input: string): Pick<ConvertOptions, "frozenGraph"> {
  const { input_format, output_node_names: outputs, signature_name, saved_model_tags } = values;
  if (input_format !== "tf_frozen_model") {
    if (outputs === undefined) return {};
    throw wrong("--output_node_names: it is for frozen graphs; add --input_format=tf_frozen_model or leave it out");
  }
  if (outputs === undefined) throw wrong("--input_format=tf_frozen_model: expected --output_node_names too, got none");
  if (signature_name !== undefined || saved_model_tags !== undefined || values.all_signatures) {
    throw wrong("--input_format=tf_frozen_model: a frozen graph has no signatures and tags; leave those flags out");
  }
  return { frozenGraph: { file: input.replace(/^.*[\\/]/, ""), outputs } };
}

function quantizeFrom(values: FlagValues): QuantizeOptions {
  const { quantization_bytes, quantize, max_error: maxError = 0.01 } = values;
  const { quantize_float16: float16, quantize_uint8: uint8, quantize_uint16: uint16, quantize_int8: int8 } = values;
  const given = Object.entries({ float16, uint8, uint16, int8 }).filter(([, patterns]) => patterns !== undefined);
  const [dtype] = given[0] ?? [];
  if (values.max_error !== undefined && quantize === undefined) {
    throw wrong("--max_error: it says how far --quantize=auto may go; add that or leave it out");
  }
  if (quantize !== undefined && (dtype !== undefined || quantization_bytes !== undefined)) {
    const other = dtype === undefined ? "quantization_bytes" : `quantize_${dtype}`;
    throw wrong(`--quantize: auto chooses every weight's type; leave out --${other}`);
  }
  if (quantize !== undefined) return { auto: { maxError } };
  if (quantization_bytes !== undefined) {
    if (dtype !== undefined) throw wrong(`--quantization_bytes: it says what --quantize_${dtype} says; leave one out`);
    return quantization_bytes === "1" ? { uint8: true } : { uint16: true };
  }
  const options: QuantizeOptions = Object.fromEntries(given);
  checkQuantizeOptions(options);
  return options;
}

/** What flags of the Python converter do here where they do nothing. */
const ineffective = {
  strip_debug_ops: (value) => (value === false ? "debug ops are always removed" : undefined),
  control_flow_v2: () => "loops and branches are functions, or written out where their course is sure",
  split_weights_by_layer: () => "graph models have no layers",
  experiments: () => "there are none",
} as const satisfies { readonly [name in FlagName]?: (value: unknown) => string | undefined };

function noticesOf(values: FlagValues): readonly string[] {
  return Object.entries(ineffective).flatMap(([name, reasonFor]) => {
    const value = values[name as keyof typeof ineffective]; // a key of that table
    const reason = value === undefined ? undefined : reasonFor(value);
    return reason === undefined ? [] : [`--${name} has no effect: ${reason}`];
  });
}

function wrong(message: string): InferenceError {
  return new InferenceError("invalid-argument", message);
}
