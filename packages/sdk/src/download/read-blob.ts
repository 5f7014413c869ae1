import { InferenceError } from "@nearside/core";

/** The file of this path. Throws `not-found`, with the paths that there are. */
export function readBlob(files: ReadonlyMap<string, Blob>, path: string): Blob {
  const blob = files.get(path);
  if (blob) return blob;
  const paths = [...files.keys()].join(", ") || "none";
  throw new InferenceError("not-found", `${path} is not among the model's files; got ${paths}`);
}
