import type { RunsInFlight } from "../runs-in-flight.ts";
import type { Signature } from "../signature.ts";
import type { StatePlace } from "../state-place.ts";
import type { Tensor } from "../tensor.ts";
import type { Transport } from "./protocol.ts";

/** The place of a session that is elsewhere on this device, in a worker: states stay there, and calls name them. */
export function elsewherePlace(signature: Signature, transport: Transport, runs: RunsInFlight): StatePlace {
  let lastId = 0;
  return {
    signature,
    async hold(names, initial) {
      const id = ++lastId;
      let values: readonly Tensor[] | undefined = initial;
      return {
        isHere: false,
        async run(inputs, { outputs, signal, transfer }) {
          const state = { id, names, ...(values && { values }) };
          values = undefined;
          return transport.run({ inputs, outputs, state }, { signal, transfer });
        },
        read: () => runs.add(transport.readState({ id })),
        release: async () => {
          await transport.freeState({ id }).catch(() => {}); // it is gone, and the state with it
        },
      };
    },
  };
}
