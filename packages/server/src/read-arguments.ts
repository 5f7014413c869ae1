import { InferenceError } from "@nearside/core";

/** What `parseArgs` makes of a subcommand's arguments. Throws `invalid-argument` where one is no flag of its. */
export function readArguments<T>(command: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    const [reason = ""] = (cause as Error).message.split(". "); // it throws nothing else; what follows is advice for paths
    throw new InferenceError("invalid-argument", `${command}: ${reason}; see ${command} --help`, { cause });
  }
}
