export function measureProcess(
  command: string,
  args: readonly string[],
): Promise<{ readonly seconds: number; readonly peakBytes: number }>;

export function median(numbers: readonly number[]): number;
