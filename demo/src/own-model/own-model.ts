import { openSession, type Session } from "nearside";
import { element } from "../element.ts";
import { readPageConfig } from "../page-config.ts";
import { convertInWorker } from "./convert-in-worker.ts";
import { createInputFields } from "./input-fields.ts";
import { createOwnModelView } from "./own-model-view.ts";
import { filesOfDrop, filesOfInput, type PickedFiles } from "./picked-files.ts";

/** Lets a person drop or pick a SavedModel, converts it in a worker of this page, and runs it. */
export function addOwnModel(): void {
  const view = createOwnModelView();
  const fields = createInputFields(element("own-inputs", HTMLElement));
  let current = new AbortController(); // aborted when another model, or signature, is asked for
  let files: PickedFiles = new Map();
  let session: Session | undefined;

  async function use(picked: PickedFiles, signature?: string): Promise<void> {
    current.abort();
    current = new AbortController();
    const { signal } = current;
    files = picked;
    const previous = session;
    session = undefined;
    view.converting();
    try {
      await previous?.close();
      const model = await convertInWorker({ files, signature }, signal, view.converting);
      view.opening(model);
      const { backend } = await readPageConfig();
      const opened = await openSession(model.files, { signal, ...(backend && { backend }) });
      if (signal.aborted) return await opened.close();
      session = opened;
      fields.show(opened.signature);
      await run();
    } catch (error) {
      if (!signal.aborted) view.failed(error);
    }
  }

  async function run(): Promise<void> {
    const { signal } = current;
    if (!session) return;
    try {
      view.running();
      const startedMs = performance.now();
      const outputs = await session.run(fields.read(), { signal });
      view.ready(session, outputs, performance.now() - startedMs);
    } catch (error) {
      if (!signal.aborted) view.failed(error);
    }
  }

  for (const id of ["own-folder", "own-archive"]) {
    const input = element(id, HTMLInputElement);
    input.addEventListener("change", () => {
      const picked = filesOfInput(input);
      input.value = ""; // so that the same folder can be picked again
      if (picked.size > 0) void use(picked);
    });
  }
  const signatures = element("own-signature", HTMLSelectElement);
  signatures.addEventListener("change", () => void use(files, signatures.value));
  element("own-zeros", HTMLButtonElement).addEventListener("click", () => fields.fill("zeros"));
  element("own-random", HTMLButtonElement).addEventListener("click", () => fields.fill("random"));
  element("own-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    void run();
  });
  addDropZone(element("own-drop", HTMLElement), use, view.failed);
}

function addDropZone(
  zone: HTMLElement,
  use: (files: PickedFiles) => Promise<void>,
  onError: (error: unknown) => void,
): void {
  const mark = (isOver: boolean) => zone.toggleAttribute("data-over", isOver);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault(); // or the browser would open the files itself
    mark(true);
  });
  zone.addEventListener("dragleave", () => mark(false));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    if (event.dataTransfer) filesOfDrop(event.dataTransfer).then(use, onError);
  });
}
