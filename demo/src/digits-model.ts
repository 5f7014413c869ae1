import { connectSession, type LocalBackend, openSession, type Progress, type Session, type Tensor } from "nearside";
import { imageSide } from "./normalise-drawing.ts";

/** The model's inputs and outputs, as the converter's model.d.ts declares them. */
export interface Digits {
  readonly inputs: { readonly image: Tensor<"float32"> };
  readonly outputs: { readonly probabilities: Tensor<"float32"> };
}

/** Where a person may ask the model to run. */
export type Place = "browser" | "server";

/** What the page was given: where the server is, if there is one, and which backends its address asks for. */
export interface PageConfig {
  readonly server?: string | undefined;
  readonly backend?: readonly LocalBackend[] | undefined;
}

/** Opens the model in one of the two places. What comes back is the same either way: a session. */
export async function openDigits(
  place: Place,
  { server, backend }: PageConfig,
  onProgress: (progress: Progress) => void,
): Promise<Session<Digits>> {
  if (place === "server") {
    if (server === undefined) throw new Error("this page was served without a server; start it with npm run demo");
    return connectSession<Digits>(server, "digits");
  }
  return openSession<Digits>(new URL("models/digits/model.json", location.href), {
    ...(backend && { backend }),
    ...(server !== undefined && { fallback: { server, model: "digits" } }),
    onProgress,
  });
}

/** The model's answer for one normalised drawing: how likely each of the ten digits is. */
export async function readDigit(session: Session<Digits>, image: Float32Array<ArrayBuffer>, signal: AbortSignal) {
  const tensor = { dtype: "float32", shape: [1, imageSide, imageSide, 1], data: image } as const;
  const { probabilities } = await session.run({ image: tensor }, { signal });
  return probabilities.data;
}
