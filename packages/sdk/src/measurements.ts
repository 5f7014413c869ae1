import { clear, get, keys, set } from "idb-keyval";
import { openStore } from "./cache/open-store.ts";

/** What was measured in this browser, by what it depends on: so that not every visit measures. */
export interface Measurements<T> {
  recall(key: string): Promise<T | undefined>;
  remember(key: string, value: T): Promise<void>;
}

/** Of so many, most are of models, builds and browsers that are gone. */
const mostKept = 64;

/** The measurements in this database of IndexedDB. Without storage there are none, as in some private windows. */
export function measurements<T>(database: string, name: string): Measurements<T> {
  const store = () => openStore(database, name);
  return {
    async recall(key) {
      try {
        return await get<T>(key, store());
      } catch {
        return undefined;
      }
    },
    async remember(key, value) {
      try {
        const kept = store();
        if ((await keys(kept)).length >= mostKept) await clear(kept); // what is in use is measured once again
        await set(key, value, kept);
      } catch (error) {
        console.warn("nearside: the browser keeps no measurements, so each visit measures again:", error);
      }
    },
  };
}
