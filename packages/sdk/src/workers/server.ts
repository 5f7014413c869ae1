import { createHost } from "@nearside/core";
import { readImages } from "@nearside/runtime/images";
import { httpTransport } from "../http-transport.ts";
import { serveCalls } from "../serve-calls.ts";

const { server, model } = JSON.parse(self.name); // see connectSession

/** Calls a server beside the page's thread, which is spared the requests, their tensors' encoding, and images. */
serveCalls(
  createHost(
    httpTransport(server, model, globalThis.fetch, {
      read: async (inputs) => readImages(inputs),
      close: () => {},
    }),
  ),
);
