/** The page's element with this id, which index.html promises is there and of this class. */
export function element<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`index.html: expected <… id="${id}"> to be a ${type.name}`);
}
