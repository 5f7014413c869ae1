import "./begin-reading.ts"; // first: it takes time, in which the rest is made ready
import { openWebglBackend } from "@nearside/runtime/backends/webgl";
import { serveSession } from "../serve-session.ts";

serveSession(openWebglBackend);
