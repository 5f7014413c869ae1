// Takes a model from a server, and runs it in the page; or there, where this device can't.
import { openSession } from "nearside";

const server = import.meta.env.VITE_SERVER ?? "http://localhost:8501";
const session = await openSession(`${server}/models/digits/1/model.json`, {
  backend: "webgpu",
  fallback: { server, model: "digits" },
  onEvent: ({ type, error }) => console.log(type, error?.message ?? ""),
});
const image = { dtype: "float32", shape: [1, 28, 28, 1], data: new Float32Array(28 * 28) };
const { probabilities } = await session.run({ image });

document.body.textContent = `${session.location}: ${probabilities.data.length} probabilities`;
