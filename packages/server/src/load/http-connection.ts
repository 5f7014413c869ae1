import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import { AnswerReader } from "./answer-reader.ts";

/**
 * One connection that sends the same bytes again and again, each time after the whole answer is there. It does as little
 * as it can: it shares the machine with the server that it measures, and Node's own client does as much as that does.
 */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #request: Uint8Array;
  #finish: ((failure: string | undefined) => void) | undefined;
  #reader = new AnswerReader();

  /** `request` is all of a request of HTTP/1.1. The connection is opened at once. */
  constructor({ protocol, hostname, port }: URL, request: Uint8Array) {
    const isSecure = protocol === "https:";
    const host = hostname.replace(/^\[|\]$/g, ""); // of an IPv6 address
    const place = { host, port: Number(port || (isSecure ? 443 : 80)) };
    this.#socket = isSecure ? connectSecure({ ...place, servername: host }) : connectPlain(place);
    this.#socket.setNoDelay(true);
    this.#request = request;
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("error", ({ code, message }: NodeJS.ErrnoException) => this.#end(code ?? message));
    this.#socket.on("close", () => this.#end("the server closed the connection"));
  }

  /** Whether another request can be sent. */
  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** Sends the request; resolves with what went wrong, or undefined. One at a time. */
  send(): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#reader = new AnswerReader();
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    try {
      if (!this.#reader.add(chunk)) return;
    } catch (error) {
      this.close();
      this.#end((error as Error).message); // the reader throws nothing else
      return;
    }
    const { status, isLast } = this.#reader;
    if (isLast) this.close();
    this.#end(status === 200 ? undefined : `HTTP ${status}`);
  }

  #end(failure: string | undefined): void {
    this.#finish?.(failure);
    this.#finish = undefined;
  }
}
