// Imports a SavedModel: Vite converts it, and TypeScript knows what it takes and returns.
import { openSession } from "nearside";
import model from "../models/digits/saved_model?nearside";

const session = await openSession(model);
const image = { dtype: "float32", shape: [1, 28, 28, 1], data: new Float32Array(28 * 28) } as const;
const { probabilities } = await session.run({ image });

document.body.textContent = `${session.backend}: ${probabilities.data.length} probabilities`;
