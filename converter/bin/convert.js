#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";

// A conversion's objects are dropped at once or kept for long: V8's space for new ones need not grow, which it otherwise
// does by tens of megabytes.
setFlagsFromString("--semi-space-growth-factor=1");
await import("../bundle/cli.js");
