import { openSession } from "nearside";
import model from "./model?nearside";

const session = await openSession(model);
const { y } = await session.run({ x: { dtype: "float32", shape: [2], data: Float32Array.of(-1, 2) } });
export const first: number | undefined = y.data[0];
// @ts-expect-error
await session.run({ z: { dtype: "float32", shape: [2], data: Float32Array.of(-1, 2) } });
// @ts-expect-error
await session.run({ x: { dtype: "int32", shape: [2], data: Int32Array.of(-1, 2) } });
// @ts-expect-error
y.length;
