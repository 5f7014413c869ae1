import { once } from "node:events";
import { createServer } from "node:net";

/** The port that an option asks for, or a free one for 0. Throws, with the way out, if it is no port or is taken. */
export async function takePort(option, text) {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) {
    throw new Error(`${option} ${text}: expected a port from 0 (any free one) to 65535`);
  }
  const port = await tryPort(Number(text));
  if (port === undefined) throw new Error(`port ${text} is taken; pass another with ${option}, or 0 for any free one`);
  return port;
}

/** This port if it is free, else any that is. */
export async function nearPort(port) {
  return (await tryPort(port)) ?? (await tryPort(0));
}

/** The port, or undefined if it is taken on this machine's loopback address, be it IPv4 or IPv6. */
async function tryPort(wanted) {
  const port = await tryAddress("127.0.0.1", wanted);
  return port !== undefined && (await tryAddress("::1", port)) !== undefined ? port : undefined;
}

async function tryAddress(host, wanted) {
  const probe = createServer().listen(wanted, host);
  try {
    await once(probe, "listening");
    return probe.address().port;
  } catch (error) {
    const isTaken = error.code === "EADDRINUSE" || error.code === "EACCES";
    return isTaken ? undefined : wanted; // a machine without IPv6 has nothing listening there either
  } finally {
    probe.close();
  }
}
