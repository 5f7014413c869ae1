import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { type ServiceName, toService } from "../src/grpc/service.ts";

/** How a call ended, and what it answered. */
export interface Answer {
  /** The number of the gRPC status; 0 is OK. */
  readonly code: number;
  readonly details: string;
  /** What an error's status came with. */
  readonly trailers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it, and an answer of another form fails them
  readonly response: any;
}

/** How a client connects, and what it sends with each call. */
export interface GrpcClientOptions {
  readonly channel?: ChannelCredentials;
  readonly token?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A client of a server's gRPC services, by the server's own tables of their messages. */
export function grpcClient(
  address: string,
  { channel = credentials.createInsecure(), token, metadata: sent = {} }: GrpcClientOptions = {},
) {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(sent)) metadata.set(name, value);
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  const client = new Client(address, channel, {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  const methodOf = (service: ServiceName, name: string) => {
    const method = toService(
      service,
      () => ({}) as never,
      () => {},
    ).definition[name]; // of which only the messages are needed
    if (!method) throw new Error(`${service} has no ${name}`);
    return method;
  };
  return {
    /** Calls a method that takes one message and answers with one. */
    call(service: ServiceName, name: string, request: object, options: { deadline?: Date } = {}) {
      const method = methodOf(service, name);
      const { requestSerialize, responseDeserialize } = method;
      let cancel = () => {};
      const answer = new Promise<Answer>((resolve) => {
        const done = (error: ServiceError | null, response: unknown) => {
          const trailers = error?.metadata.getMap() ?? {};
          resolve({ code: error?.code ?? 0, details: error?.details ?? "", trailers, response });
        };
        const call = client.makeUnaryRequest(
          method.path,
          requestSerialize,
          responseDeserialize,
          request,
          metadata,
          options,
          done,
        );
        cancel = () => call.cancel();
      });
      return Object.assign(answer, { cancel });
    },
    /** Sends messages on a stream and gives all that are answered. */
    async stream(service: ServiceName, name: string, requests: readonly object[]) {
      const { path, requestSerialize, responseDeserialize } = methodOf(service, name);
      const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
      for (const request of requests) stream.write(request);
      stream.end();
      const responses: unknown[] = await stream.toArray();
      return responses as readonly Answer["response"][];
    },
    close: () => client.close(),
  };
}
