import type { OpenRequest } from "@nearside/core";

/** The headers of a request for a file of a model: those it was opened with, where the file has the model's origin. */
export function ownHeaders(
  url: string,
  model: string,
  headers: OpenRequest["headers"],
): Readonly<Record<string, string>> {
  return headers && new URL(url).origin === new URL(model).origin ? headers : {}; // tokens are nobody else's to see
}
