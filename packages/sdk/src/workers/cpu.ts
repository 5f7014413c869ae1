import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { serveSession } from "../serve-session.ts";

serveSession(openCpuBackend);
