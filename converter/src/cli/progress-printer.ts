import type { ConversionProgress } from "../convert.ts";
import { formatBytes } from "../report/format-bytes.ts";

/** Where progress is shown: a terminal, where a line can be written over, or a log. */
export interface ProgressOutput {
  readonly isTerminal: boolean;
  write(text: string): void;
}

export interface ProgressPrinter {
  show(progress: ConversionProgress): void;
  /** Leaves the cursor on a line of its own. */
  end(): void;
}

/** Shows how many of the weights are written: a bar on a terminal, a line for each tenth elsewhere. */
export function createProgressPrinter({ isTerminal, write }: ProgressOutput): ProgressPrinter {
  let tenths = 0;
  let isOnBar = false;
  return {
    show({ writtenBytes, totalBytes: knownBytes }) {
      const totalBytes = Math.max(knownBytes, writtenBytes); // of strings, nobody knows the size before
      const share = totalBytes === 0 ? 1 : Math.min(1, writtenBytes / totalBytes);
      const text = `${String(Math.floor(share * 100)).padStart(3)} %  ${formatBytes(writtenBytes)} of ${formatBytes(totalBytes)}`;
      if (isTerminal) {
        const filled = Math.round(share * barWidth);
        write(`\r[${"█".repeat(filled)}${" ".repeat(barWidth - filled)}] ${text}`);
        isOnBar = true;
      } else if (Math.floor(share * 10) > tenths) {
        tenths = Math.floor(share * 10);
        write(`weights ${text}\n`);
      }
    },
    end() {
      if (isOnBar) write("\n");
      isOnBar = false;
    },
  };
}

const barWidth = 30;
