/**
 * Starts a module worker whose script may lie anywhere, and which reads `name` as `self.name`. A browser starts workers
 * from the page's own origin only; but such a worker may import a script of any origin that allows it (CORS), so one of a
 * single import is made on the spot. A frame in a sandbox has no origin: no blob of its own starts, but a `data:` URL does.
 */
export function startWorker(script: URL, name = ""): Worker {
  const options = { type: "module", name } as const;
  if (script.origin === origin) return new Worker(script, options);
  const type = "text/javascript";
  const code = `import ${JSON.stringify(script.href)};\nURL.revokeObjectURL(import.meta.url);`;
  const isInSandbox = origin === "null";
  const url = isInSandbox
    ? `data:${type},${encodeURIComponent(code)}`
    : URL.createObjectURL(new Blob([code], { type }));
  return new Worker(url, options);
}
