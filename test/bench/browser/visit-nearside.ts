import { openSession, type Session } from "nearside";
import { beginVisit } from "./visit.ts";

let session: Session;

/** The SDK as it comes: in a worker, from the cache if it can. */
beginVisit({
  async open({ model, backend }) {
    session = await openSession(model, { backend });
  },
  run: (inputs) => session.run(inputs),
});
