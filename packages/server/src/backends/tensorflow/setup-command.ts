import { parseArgs } from "node:util";
import { readArguments } from "../../read-arguments.ts";
import { setupTensorflow } from "./setup-tensorflow.ts";
import { tensorflowDir } from "./tensorflow-package.ts";

const usage = `Builds what the backend "tensorflow" needs, against the TensorFlow that a Python has installed.

Usage: nearside-server setup-tensorflow [--python=PATH]

  --python=PATH    the Python with TensorFlow (default: python3)

It is put into $NEARSIDE_TENSORFLOW, by default ${tensorflowDir()}, where servers look for it.`;

/** The command `nearside-server setup-tensorflow`. */
export async function run(args: readonly string[]): Promise<void> {
  const options = { python: { type: "string" }, help: { type: "boolean" } } as const;
  const values = readArguments("setup-tensorflow", () => parseArgs({ args: [...args], options }).values);
  if (values.help) return console.log(usage);
  await setupTensorflow({ python: values.python, tell: (step) => console.log(step) });
  console.log("done: nearside-server --backend=tensorflow");
}
