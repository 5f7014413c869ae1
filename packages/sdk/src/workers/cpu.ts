import "./begin-reading.ts"; // first: it takes time, in which the rest is made ready
import { openCpuBackend } from "@nearside/runtime/backends/cpu";
import { serveSession } from "../serve-session.ts";

serveSession(openCpuBackend);
