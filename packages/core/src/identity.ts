const ids = new WeakMap<object, number>();
let nextId = 0;

/** A number that stands for an object's identity, for keys. */
export function identity(of: object): number {
  let id = ids.get(of);
  if (id === undefined) {
    id = nextId++;
    ids.set(of, id);
  }
  return id;
}
