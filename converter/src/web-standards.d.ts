// The few globals that every JavaScript platform has. The converter is compiled without DOM or Node types, so that
// naming anything else of a platform is a compile error.
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(encoding?: "utf-8", options?: { ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}
declare const crypto: {
  readonly subtle: { digest(algorithm: "SHA-256", data: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> };
};
declare function btoa(binary: string): string;
declare function atob(base64: string): string;
declare class DecompressionStream {
  constructor(format: "gzip" | "deflate-raw");
  readonly writable: {
    getWriter(): {
      write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
      close(): Promise<void>;
      abort(reason?: unknown): Promise<void>;
    };
  };
  readonly readable: {
    getReader(): {
      read(): Promise<
        { readonly done: false; readonly value: Uint8Array } | { readonly done: true; readonly value?: undefined }
      >;
      cancel(): Promise<void>;
    };
  };
}
declare class Blob {
  constructor(parts: readonly Uint8Array<ArrayBuffer>[]);
  readonly size: number;
  slice(start: number, end: number): Blob;
  arrayBuffer(): Promise<ArrayBuffer>;
}
interface File extends Blob {
  readonly name: string;
  readonly webkitRelativePath: string;
}
