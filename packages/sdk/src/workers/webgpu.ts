import "./begin-reading.ts"; // first: it takes time, in which the rest is made ready
import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { serveSession } from "../serve-session.ts";
import { deviceMemory } from "./device-memory.ts";

serveSession(() => openWebgpuBackend({ gpu: navigator.gpu, deviceMemory }));
