/**
 * Waits for a lock that all tabs of this origin share, and resolves with the function that releases it. Where there are
 * no locks (a page that isn't secure, a frame in a sandbox), it waits for nothing. Rejects with the signal's reason.
 */
export async function holdLock(name: string, signal: AbortSignal | undefined): Promise<() => void> {
  if (navigator.locks === undefined) return () => {};
  return new Promise((resolve, reject) => {
    const hold = () => new Promise<void>((release) => resolve(release));
    navigator.locks.request(name, signal ? { signal } : {}, hold).catch(() => {
      if (signal?.aborted) reject(signal.reason);
      else resolve(() => {});
    });
  });
}
