import { openSession } from "nearside";
import type { Model } from "./digits/model.d.ts";

const session = await openSession<Model>("/models/digits/model.json");
const { probabilities } = await session.run({
  image: { dtype: "float32", shape: [1, 28, 28, 1], data: new Float32Array(784) },
});
export const first: number | undefined = probabilities.data[0];
