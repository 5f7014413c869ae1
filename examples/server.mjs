// Serves a SavedModel, and runs it there through the same session that a page has.
import { createServer } from "@nearside/server";
import { connectSession } from "nearside";

const models = [{ name: "linear_regression", basePath: "models/linear-regression/saved_model" }];
const server = createServer({ models, host: "127.0.0.1", restPort: 0 });
await server.listen();

const session = await connectSession(server.url, "linear_regression");
const x = { dtype: "float32", shape: [2, 1], data: Float32Array.of(1, 2) };
const { output_0 } = await session.run({ x });
console.log(`${session.backend} on the ${session.location}: ${output_0.data.join(", ")}`);

await session.close();
await server.close();
