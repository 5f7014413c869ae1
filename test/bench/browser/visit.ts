import type { Tensors } from "@nearside/core";

/** What a visitor's page is asked for, by its address. */
export interface VisitRequest {
  readonly model: string;
  readonly backend: "wasm" | "webgpu";
  /** The shapes of its inputs, of float32. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

/** Milliseconds from the page's start. */
export interface Visit {
  /** Until the page's script runs. */
  readonly scriptMs: number;
  /** Until the model is open, and warm where the library warms it up. */
  readonly openMs: number;
  /** Until its first outputs are there. */
  readonly firstMs: number;
}

interface Visitor {
  open(request: VisitRequest): Promise<void>;
  run(inputs: Tensors): Promise<unknown>;
}

/**
 * Opens the model and runs it as soon as the page's script runs. Then the console is told the {@link Visit} as JSON: whoever
 * waits for it has no need to run anything in the page meanwhile.
 */
export function beginVisit({ open, run }: Visitor): void {
  const scriptMs = performance.now();
  const request = JSON.parse(decodeURIComponent(location.hash.slice(1))) as VisitRequest; // of the benchmark
  const visit = async (): Promise<Visit> => {
    await open(request);
    const openMs = performance.now();
    const inputs = Object.entries(request.inputs).map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(0.5);
      return [name, { dtype: "float32", shape, data } as const] as const;
    });
    await run(Object.fromEntries(inputs));
    return { scriptMs, openMs, firstMs: performance.now() };
  };
  void visit().then((visit) => console.info(JSON.stringify(visit)));
}
