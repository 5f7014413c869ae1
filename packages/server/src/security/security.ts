import { toInferenceError } from "@nearside/core";
import type { ServerEvent } from "../server-event.ts";
import { type AccessTokens, parseAccessTokens } from "./access-tokens.ts";
import { readSecretFile, watchSecretFiles } from "./secret-files.ts";
import { openTls, type Tls, type TlsIdentity, type TlsSource, tlsFromFiles, tlsFromSslConfig } from "./tls.ts";

/** Who may call a server, and how it shows who it is. Every file may be replaced while the server runs. */
export interface SecurityOptions {
  /** The file of bearer tokens that clients have to send; see `parseAccessTokens`. By default they need none. */
  readonly tokensFile?: string;
  /** The requests of a client in a second at most, by its token, else its address; by default any number. */
  readonly requestsPerSecond?: number;
  /** Addresses or ranges of proxies (`10.0.0.0/8`) whose `X-Forwarded-For` tells a client's address; none by default. */
  readonly trustedProxies?: readonly string[];
  /** The certificate and key in PEM files, for HTTPS and gRPC; with `clientCaFile` clients need a certificate, too. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string };
  /** TensorFlow Serving's file of the certificate for gRPC alone, in place of `tls`. */
  readonly sslConfigFile?: string;
  /** How often these files are looked at (default every 5 s). */
  readonly secretsPollMs?: number;
}

/** What a server's files of secrets say now. */
export interface Security {
  /** The tokens that are accepted; undefined where none is asked for. */
  readonly tokens: AccessTokens | undefined;
  readonly rest: TlsIdentity | undefined;
  readonly grpc: TlsIdentity | undefined;
  /** Tells of other identities from now on. Returns what ends that. */
  watch(changed: { rest(identity: TlsIdentity): void; grpc(identity: TlsIdentity): void }): () => void;
}

/** Reads the files of secrets. Throws `invalid-argument` where one can't be used. */
export function openSecurity(
  { tokensFile, tls, sslConfigFile, secretsPollMs }: SecurityOptions,
  onEvent: (event: ServerEvent) => void,
): Security {
  const open = (source: TlsSource | undefined) => source && openTls(source, secretsPollMs);
  const rest = open(tls && tlsFromFiles(tls));
  const grpc = sslConfigFile === undefined ? rest : open(tlsFromSslConfig(sslConfigFile));
  let tokens = tokensFile === undefined ? undefined : readTokens(tokensFile);
  const onError = (error: unknown) => onEvent({ type: "bad-secret", error: toInferenceError(error) });
  const readAgain = (path: string) => {
    try {
      tokens = readTokens(path);
    } catch (error) {
      onError(error);
    }
  };
  const watchTls = (source: Tls | undefined, change: (identity: TlsIdentity) => void) =>
    source?.watch((identity) => {
      change(identity);
      onEvent({ type: "new-certificate" });
    }, onError);
  return {
    get tokens() {
      return tokens;
    },
    rest: rest?.identity,
    grpc: grpc?.identity,
    watch: (changed) => {
      const ends = [
        tokensFile === undefined
          ? undefined
          : watchSecretFiles([tokensFile], () => readAgain(tokensFile), secretsPollMs),
        watchTls(rest, (identity) => {
          changed.rest(identity);
          if (grpc === rest) changed.grpc(identity);
        }),
        grpc === rest ? undefined : watchTls(grpc, changed.grpc),
      ];
      return () => {
        for (const end of ends) end?.();
      };
    },
  };
}

function readTokens(path: string): AccessTokens {
  return parseAccessTokens(readSecretFile(path).toString(), path);
}
