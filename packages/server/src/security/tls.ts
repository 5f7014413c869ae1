import { createSecureContext } from "node:tls";
import { InferenceError, toInferenceError } from "@nearside/core";
import { parseTextProto } from "../protobuf/text-proto.ts";
import { readSecretFile, watchSecretFiles } from "./secret-files.ts";

/** A server's certificate and key, in PEM, and whose certificates its clients have to have. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Those who sign the certificates of clients; without, clients need none. */
  readonly clientCa: Buffer | undefined;
}

/** Where a server's certificate and key are. They may be replaced at any time. */
export interface TlsSource {
  readonly paths: readonly string[];
  read(): TlsIdentity;
}

/** An identity that is kept as its files are. */
export interface Tls {
  readonly identity: TlsIdentity;
  /** Calls `onChange` whenever there is another identity, and `onError` where the files don't fit together. Returns what ends that. */
  watch(onChange: (identity: TlsIdentity) => void, onError: (error: InferenceError) => void): () => void;
}

/** The certificate (with those above it), its key and the authorities of clients in a PEM file each. */
export function tlsFromFiles(files: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
}): TlsSource {
  const { certFile, keyFile, clientCaFile } = files;
  return {
    paths: [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])],
    read: () => ({
      cert: readSecretFile(certFile),
      key: readSecretFile(keyFile),
      clientCa: clientCaFile === undefined ? undefined : readSecretFile(clientCaFile),
    }),
  };
}

/** TensorFlow Serving's `--ssl_config_file`: a text with the PEM in it. */
export function tlsFromSslConfig(path: string): TlsSource {
  return {
    paths: [path],
    read: () => {
      const config = parseTextProto("tensorflow.serving.SSLConfig", readSecretFile(path).toString(), path);
      const clientCa = config.clientVerify ? Buffer.from(config.customCa) : undefined;
      return { cert: Buffer.from(config.serverCert), key: Buffer.from(config.serverKey), clientCa };
    },
  };
}

/** Reads a source. Throws `invalid-argument` where a file can't be read, or the certificate and the key don't fit. */
export function openTls(source: TlsSource, pollMs?: number): Tls {
  const identity = readChecked(source);
  return {
    identity,
    watch: (onChange, onError) => {
      let known = identity;
      const look = () => {
        try {
          const now = readChecked(source);
          if (isSame(now, known)) return;
          known = now;
          onChange(now);
        } catch (error) {
          onError(toInferenceError(error));
        }
      };
      return watchSecretFiles(source.paths, look, pollMs);
    },
  };
}

/** What Node's servers take of an identity. */
export function secureContext({ cert, key, clientCa }: TlsIdentity) {
  return { cert, key, ...(clientCa && { ca: clientCa }), minVersion: "TLSv1.2" } as const;
}

/** Whether clients have to have a certificate. */
export function clientVerification({ clientCa }: TlsIdentity) {
  return { requestCert: clientCa !== undefined, rejectUnauthorized: clientCa !== undefined };
}

function readChecked(source: TlsSource): TlsIdentity {
  const identity = source.read();
  try {
    createSecureContext(secureContext(identity));
  } catch (cause) {
    const { message } = toInferenceError(cause);
    const expected = "expected a certificate and its key, in PEM";
    throw new InferenceError("invalid-argument", `${source.paths.join(", ")}: ${expected}: ${message}`, { cause });
  }
  return identity;
}

function isSame(a: TlsIdentity, b: TlsIdentity): boolean {
  const isEqual = (x: Buffer | undefined, y: Buffer | undefined) => (x && y ? x.equals(y) : x === y);
  return isEqual(a.cert, b.cert) && isEqual(a.key, b.key) && isEqual(a.clientCa, b.clientCa);
}
