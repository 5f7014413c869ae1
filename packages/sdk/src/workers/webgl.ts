import { openWebglBackend } from "@nearside/runtime/backends/webgl";
import { serveSession } from "../serve-session.ts";

serveSession(openWebglBackend);
