import { availableParallelism } from "node:os";
import { type ResourceLimits, Worker as Thread } from "node:worker_threads";
import { type Envelope, fromWireError, InferenceError } from "@nearside/core";
import { type JsonTask, performTask, type TaskInput, type TaskOutput } from "./json-tasks.ts";
import type { ToThread } from "./json-thread.ts";
import { ownBuffers } from "./own-buffers.ts";

/** JSON that is smaller is read or written where it is wanted: that takes 2 ms at most, and a thread would not be faster. */
const threadBytes = 64 * 1024;

/** What an element of a tensor takes of an answer's JSON, about. */
const elementBytes = 12;

const entry = new URL("./json-thread.js", import.meta.url);

export interface JsonThreadsOptions {
  /** How many threads there may be: by default as many as leave a core to everything else, 4 at most. */
  readonly maxThreads?: number;
  /** What each may hold; by default as much as this one. */
  readonly resourceLimits?: ResourceLimits;
}

function defaultThreads(): number {
  return Math.min(4, Math.max(1, availableParallelism() - 1));
}

interface Job {
  readonly message: ToThread;
  readonly transfer: readonly ArrayBuffer[];
  resolve(reply: unknown): void;
  reject(reason: InferenceError): void;
}

/**
 * Reads and writes JSON, large JSON in threads of its own, so that no other request waits for it. Threads are started
 * when there is work for them, and have one task at a time.
 */
export class JsonThreads {
  readonly #options: Required<JsonThreadsOptions>;
  readonly #idle: Thread[] = [];
  readonly #all = new Set<Thread>();
  readonly #waiting: Job[] = [];
  #isClosed = false;

  constructor({ maxThreads = defaultThreads(), resourceLimits = {} }: JsonThreadsOptions = {}) {
    this.#options = { maxThreads, resourceLimits };
  }

  /**
   * Performs a task on so many bytes of JSON, about; a body that goes to a thread can't be used here any more. Rejects as
   * the task throws, and with `out-of-memory` where its values take more than a thread may have.
   */
  async run<T extends JsonTask>(task: T, input: TaskInput<T>, jsonBytes: number): Promise<TaskOutput<T>> {
    if (jsonBytes < threadBytes) return performTask(task, input);
    const transfer = "body" in input ? ownBuffers(input.body) : []; // outputs may be somebody else's, too
    const reply = new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ message: { task, input }, transfer, resolve, reject });
      this.#next();
    });
    return (await reply) as TaskOutput<T>; // of the task that was sent
  }

  /** Ends the threads; what they were doing rejects with `closed`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new InferenceError("closed", "the server is closing"));
    await Promise.all([...this.#all].map((thread) => thread.terminate()));
  }

  /** Gives what waits to threads that have nothing to do, or to new ones. */
  #next(): void {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      const thread = this.#idle.pop() ?? (this.#all.size < this.#options.maxThreads ? this.#start() : undefined);
      if (!thread) return;
      this.#perform(thread, this.#waiting.shift() as Job); // one waits
    }
  }

  #start(): Thread {
    const thread = new Thread(entry, { resourceLimits: this.#options.resourceLimits });
    thread.unref(); // who waits for a reply keeps the process
    this.#all.add(thread);
    return thread;
  }

  #perform(thread: Thread, { message, transfer, resolve, reject }: Job): void {
    const end = () => {
      thread.off("message", answer).off("error", fail).off("exit", exit);
      this.#next();
    };
    const answer = (envelope: Envelope<unknown>) => {
      this.#idle.push(thread);
      if ("error" in envelope) reject(fromWireError(envelope.error));
      else resolve(envelope.reply);
      end();
    };
    const fail = (cause: NodeJS.ErrnoException) => {
      const isFull = cause.code === "ERR_WORKER_OUT_OF_MEMORY";
      const advice = "the JSON holds more values than a thread has memory for; send the tensors as bytes";
      reject(new InferenceError(isFull ? "out-of-memory" : "internal", isFull ? advice : cause.message, { cause }));
    };
    const exit = () => {
      this.#all.delete(thread);
      reject(new InferenceError("closed", "the thread that had the JSON was ended")); // unless it has failed
      end();
    };
    thread.on("message", answer).on("error", fail).on("exit", exit);
    thread.postMessage(message, [...transfer]);
  }
}

/** About how many bytes these tensors are as JSON. */
export function jsonBytesOf(tensors: readonly { readonly data: { readonly length: number } }[]): number {
  return tensors.reduce((sum, { data }) => sum + data.length * elementBytes, 0);
}
