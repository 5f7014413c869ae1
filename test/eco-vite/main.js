// Shows what a model makes of (-1, 2).
import { openSession } from "nearside";
import model from "./model?nearside";

const session = await openSession(model, { backend: "cpu" });
const { y } = await session.run({ x: { dtype: "float32", shape: [2], data: Float32Array.of(-1, 2) } });
document.body.textContent = `y = ${y.data.join(", ")}`;
