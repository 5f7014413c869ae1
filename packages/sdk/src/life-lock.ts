/**
 * Holds a lock for as long as this thread lives, and resolves with its name. A worker that is ended from outside fires
 * no event; its locks are released. Resolves with undefined where there are no locks: in a page that isn't secure, say.
 */
export async function holdLifeLock(): Promise<string | undefined> {
  if (navigator.locks === undefined) return undefined;
  const name = `nearside ${crypto.randomUUID()}`;
  return new Promise((resolve) => {
    const hold = () => {
      resolve(name);
      return new Promise<never>(() => {});
    };
    navigator.locks.request(name, hold).catch(() => resolve(undefined)); // refused to a frame in a sandbox
  });
}

/** Resolves when the thread that holds this lock is gone. */
export async function lifeOver(name: string): Promise<void> {
  await navigator.locks.request(name, () => {});
}
