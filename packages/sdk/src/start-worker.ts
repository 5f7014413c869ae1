/**
 * Starts a module worker whose script may lie anywhere. A browser starts workers from the page's own origin only; but
 * such a worker may import a script of any origin that allows it (CORS), so one of a single import is made on the spot.
 */
export function startWorker(script: URL): Worker {
  if (script.origin === origin) return new Worker(script, { type: "module" });
  const code = `import ${JSON.stringify(script.href)};\nURL.revokeObjectURL(import.meta.url);`;
  return new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
}
