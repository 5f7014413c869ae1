import type { ConversionProgress } from "@nearside/converter";
import { InferenceError, type Session, type Signature, type TensorSpec, type Tensors } from "nearside";
import { element } from "../element.ts";
import { formatBytes, formatMs } from "../facts-view.ts";
import type { ConvertedModel } from "./convert-protocol.ts";
import { formatElements } from "./sample-tensors.ts";

const shownElements = 10;

/** Shows what becomes of a person's own model; also as `data-state` of its section, for tests. */
export interface OwnModelView {
  converting(progress?: ConversionProgress): void;
  opening(model: ConvertedModel): void;
  running(): void;
  ready(session: Session, outputs: Tensors, runMs: number): void;
  failed(error: unknown): void;
}

/** Returns the view over the section's elements. */
export function createOwnModelView(): OwnModelView {
  const section = element("own-model", HTMLElement);
  const status = element("own-status", HTMLElement);
  const progressBar = element("own-progress", HTMLProgressElement);
  const details = element("own-details", HTMLElement);
  const errorBox = element("own-error", HTMLElement);
  const outputs = element("own-outputs", HTMLElement);

  function enter(state: "converting" | "opening" | "running" | "ready" | "error", text: string): void {
    section.dataset.state = state;
    section.setAttribute("aria-busy", String(state !== "ready" && state !== "error"));
    status.textContent = text;
    progressBar.hidden = state !== "converting";
    errorBox.hidden = state !== "error";
  }

  return {
    converting(progress) {
      details.hidden = true;
      if (progress && progress.totalBytes > 0) progressBar.value = progress.writtenBytes / progress.totalBytes;
      else progressBar.removeAttribute("value");
      enter("converting", "Converting the model in this browser");
    },
    opening({ report, signatures, convertMs }) {
      details.hidden = false;
      fact("own-convert-time", formatMs(convertMs));
      fact("own-size", formatSize(report.weightBytes, report.shards.length));
      fact("own-nodes", `${report.nodesAfter}, of ${report.nodesBefore}`);
      fact("own-run", "");
      showSignatures(signatures, report.signatureName);
      showPorts(report.signature);
      showNotices(report.ownOps, report.notices);
      outputs.replaceChildren();
      enter("opening", "Opening the model");
    },
    running: () => enter("running", "Running the model"),
    ready(session, results, runMs) {
      fact("own-run", `${formatMs(runMs)} on ${session.backend}`);
      section.dataset.backend = session.backend;
      outputs.replaceChildren(...Object.entries(results).flatMap(outputRow));
      enter("ready", `The model has run on ${session.backend}.`);
    },
    failed(error) {
      element("own-error-code", HTMLElement).textContent = error instanceof InferenceError ? error.code : "";
      element("own-error-message", HTMLElement).textContent = error instanceof Error ? error.message : String(error);
      enter("error", "");
    },
  };
}

function fact(id: string, text: string): void {
  element(id, HTMLElement).textContent = text;
}

function showSignatures(names: readonly string[], chosen: string): void {
  const select = element("own-signature", HTMLSelectElement);
  select.replaceChildren(...names.map((name) => new Option(name, name, false, name === chosen)));
  select.disabled = names.length < 2;
}

function showPorts({ inputs, outputs }: Signature): void {
  const rows = (kind: string, ports: Readonly<Record<string, TensorSpec>>) =>
    Object.entries(ports).map(([name, spec]) => row(kind, name, formatSpec(spec)));
  element("own-ports", HTMLElement).replaceChildren(...rows("input", inputs), ...rows("output", outputs));
}

function showNotices(ownOps: readonly string[], notices: readonly string[]): void {
  const own = ownOps.length > 0 ? [`Only Nearside's runtime has ${ownOps.join(", ")}.`] : [];
  const items = [...own, ...notices].map((text) => Object.assign(document.createElement("li"), { textContent: text }));
  const list = element("own-notices", HTMLElement);
  list.replaceChildren(...items);
  list.hidden = items.length === 0;
}

function outputRow([name, tensor]: [string, Tensors[string]]): HTMLElement[] {
  const term = Object.assign(document.createElement("dt"), { textContent: `${name} ${formatSpec(tensor)}` });
  const value = document.createElement("dd");
  value.dataset.output = name;
  value.textContent = formatElements(tensor, shownElements);
  return [term, value];
}

function row(...texts: readonly string[]): HTMLTableRowElement {
  const line = document.createElement("tr");
  line.append(...texts.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
  return line;
}

function formatSize(bytes: number, files: number): string {
  return `${bytes < 1000 ? `${bytes} bytes` : formatBytes(bytes)} in ${files} ${files === 1 ? "file" : "files"}`;
}

function formatSpec({ dtype, shape }: TensorSpec): string {
  return `${dtype} [${shape?.map((size) => size ?? "?").join(", ") ?? "any shape"}]`;
}
