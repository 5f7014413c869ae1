import { formatSpec, InferenceError, type Session, type Signature } from "@nearside/core";

type Side = Pick<Session, "model" | "location" | "signature">;

/** Throws `unsupported` unless both take and return tensors of the same names and dtypes: else one can't stand in for the other. */
export function checkSameSignature(one: Side, other: Side): void {
  const [got, want] = [other, one].map(({ signature }) => describe(signature));
  if (got === want) return;
  const message = `${other.model} on the ${other.location} side: expected the signature ${want}, got ${got}; serve the same model`;
  throw new InferenceError("unsupported", message);
}

/** Dimensions are left out: one side may leave open what the other one fixes, and each checks its inputs. */
function describe({ inputs, outputs }: Signature): string {
  const list = (specs: Signature["inputs"]) =>
    Object.entries(specs)
      .map(([name, { dtype }]) => `${name}: ${formatSpec({ dtype, shape: null })}`)
      .sort()
      .join(", ");
  return `(${list(inputs)}) → (${list(outputs)})`;
}
