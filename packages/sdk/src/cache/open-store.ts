import { createStore, type UseStore } from "idb-keyval";

/**
 * A store in a database of its own, which is opened when it is first used. It lets go of the database when a page deletes
 * that, as when its user logs out: else the deletion would wait for it, and all who open the database after that.
 */
export function openStore(database: string, name: string): UseStore {
  let store = createStore(database, name);
  // Where storage is forbidden, browsers throw at once.
  return async (mode, use) =>
    store(mode, (objects) => {
      const { db } = objects.transaction;
      db.onversionchange = () => {
        db.close();
        store = createStore(database, name); // nothing tells the old one
      };
      return use(objects);
    });
}
