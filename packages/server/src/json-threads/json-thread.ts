// The entry of a thread that reads and writes JSON, one task after the other.
import { parentPort } from "node:worker_threads";
import { type Envelope, toWireError } from "@nearside/core";
import { type JsonTask, performTask, type TaskInput } from "./json-tasks.ts";
import { ownBuffers } from "./own-buffers.ts";

/** What the thread is sent. */
export interface ToThread {
  readonly task: JsonTask;
  readonly input: TaskInput<JsonTask>;
}

parentPort?.on("message", ({ task, input }: ToThread) => {
  const envelope = answer(task, input);
  parentPort?.postMessage(envelope, ownBuffers("reply" in envelope ? envelope.reply : undefined));
});

function answer(task: JsonTask, input: TaskInput<JsonTask>): Envelope<unknown> {
  try {
    return { reply: performTask(task, input as never) }; // they came together
  } catch (error) {
    return { error: toWireError(error) };
  }
}
