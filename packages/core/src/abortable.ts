/**
 * Waits for a promise until the signal is aborted: then calls `onAbort` and rejects with the signal's reason at once,
 * whatever becomes of the promise.
 */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort: () => void = () => {},
): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => {
      onAbort();
      reject(signal.reason);
    };
    if (signal.aborted) abort(); // what made the promise may have done so
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject);
    const forget = () => signal.removeEventListener("abort", abort); // a signal may outlive many calls
    promise.then(forget, forget); // last, so that nobody waits for it
  });
}
