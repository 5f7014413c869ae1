import { openSession, type Session } from "nearside";
import { offer } from "./contender.ts";

let backend: "wasm" | "webgpu";
let session: Session;

/** The SDK as a page uses it: the model in a worker, its weights not in the cache, and no run to warm up: the first is measured. */
offer({
  async load(name) {
    backend = name;
  },
  async open({ nearside }) {
    session = await openSession(nearside, { backend, cache: false, warmUp: false });
  },
  async run(inputs) {
    const outputs = await session.run(inputs);
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data }]) => [name, data as unknown as ArrayLike<number>]), // float32
    );
  },
});
