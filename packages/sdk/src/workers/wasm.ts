import "./begin-reading.ts"; // first: both may take time, in which the rest is made ready
import "./begin-wasm.ts";
import { openWasmBackend } from "@nearside/runtime/backends/wasm";
import { serveSession } from "../serve-session.ts";
import { binary, threads } from "./begin-wasm.ts";

serveSession(() => openWasmBackend({ binary, threads }));
