// Runs a converted model in the page: in a worker, on WebGPU where there is WebGPU.
import { openSession } from "nearside";

const session = await openSession("/models/digits/model.json", {
  onProgress: ({ loadedBytes, totalBytes }) => console.log(`${loadedBytes} of ${totalBytes} bytes`),
});
const image = { dtype: "float32", shape: [1, 28, 28, 1], data: new Float32Array(28 * 28) };
const { probabilities } = await session.run({ image });

document.body.textContent = `${session.backend}: ${probabilities.data.length} probabilities`;
await session.close();
