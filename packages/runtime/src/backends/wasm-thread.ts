import { serveTeam } from "../simd/threads/serve-team.ts";
import type { TeamInvitation } from "../simd/threads/team.ts";

/** Makes this worker a thread of a WebAssembly backend in another one, which is given it as one of its `threads`. */
export function serveWasmThread(): void {
  addEventListener("message", ({ data }: MessageEvent<TeamInvitation>) => void serveTeam(data), { once: true });
}
