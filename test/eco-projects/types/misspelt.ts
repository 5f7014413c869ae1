import { openSession } from "nearside";
import type { Model } from "./digits/model.d.ts";

const session = await openSession<Model>("/models/digits/model.json");
await session.run({ imgae: { dtype: "float32", shape: [1, 28, 28, 1], data: new Float32Array(784) } });
