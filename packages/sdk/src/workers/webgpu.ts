import { openWebgpuBackend } from "@nearside/runtime/backends/webgpu";
import { serveSession } from "../serve-session.ts";

serveSession(() => openWebgpuBackend({ gpu: navigator.gpu }));
