// A backend's process made by hand, which doubles x. The first one that starts beside its folder loses its device in its
// first run, and from then on has none; those after it are well.
import { existsSync, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { receiveMessages, sendMessage } from "../dist/backends/socket-messages.js";

const { folder } = JSON.parse(process.argv[2]);
const isWell = existsSync(folder);
writeFileSync(folder, "");

const spec = { dtype: "float32", shape: [null] };
const replies = {
  open: () => ({ signature: { inputs: { x: spec }, outputs: { y: spec } }, backend: "webgpu", keepsState: false }),
  run: ({ inputs: { x } }) => ({ y: { ...x, data: x.data.map((value) => value * 2) } }),
  close: () => null,
};
const socket = new Socket({ fd: 3 });
receiveMessages(socket, ({ id, method, request }) => {
  const error = { code: "device-lost", message: "the device was lost: it was reset" };
  const envelope = method === "run" && !isWell ? { error } : { reply: replies[method](request) };
  sendMessage(socket, { id, envelope });
});
socket.on("close", () => process.exit(0));
