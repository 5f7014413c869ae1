/** What a worker may need besides its script, as URLs: only the page knows what a bundler called them. */
export type WorkerFiles = Readonly<Partial<Record<"kernels" | "thread" | "scalar" | "simd", string>>>;

/** The worker's script with the URLs of its files in the fragment, which no server ever sees. */
export function withFiles(script: URL, files: WorkerFiles): URL {
  return new URL(`#${new URLSearchParams(files)}`, script);
}

/** A file that the URL of the worker's script names. Throws if it names none. */
export function fileOf(script: string, name: keyof WorkerFiles): string {
  const url = new URLSearchParams(new URL(script).hash.slice(1)).get(name);
  if (url !== null) return url;
  throw new Error(`expected the URL of "${name}" in that of the worker, got ${script}`);
}
