import { openDigits } from "./digits-model.ts";
import { createDrawingPad } from "./drawing-pad.ts";
import { element } from "./element.ts";
import { createFactsView } from "./facts-view.ts";
import { addKeyboardPen } from "./keyboard-pen.ts";
import { normaliseDrawing } from "./normalise-drawing.ts";
import { addOwnModel } from "./own-model/own-model.ts";
import { readPageConfig } from "./page-config.ts";
import { addPointerPen } from "./pointer-pen.ts";
import { createRecogniser } from "./recogniser.ts";
import { createResultView } from "./result-view.ts";
import { createSeenView } from "./seen-view.ts";
import { createStateView } from "./state-view.ts";
import { addThemeToggle } from "./theme-toggle.ts";

const { dataset } = document.documentElement; // what tests wait for: state, busy, runs
const result = createResultView();
const facts = createFactsView();
const seen = createSeenView(element("seen", HTMLCanvasElement));
const state = createStateView(start);
const pad = createDrawingPad(element("pad", HTMLCanvasElement), requestReading);
let runs = 0;
let isRequested = false;

const recogniser = createRecogniser(
  async (place, onProgress) => openDigits(place, await readPageConfig(), onProgress),
  {
    onOpening(place, progress) {
      facts.clear();
      state.opening(place, progress);
    },
    onReady(model) {
      facts.showModel(model);
      state.ready();
    },
    onResult(probabilities, runMs) {
      result.show(probabilities);
      facts.addRun(runMs);
      dataset.runs = String(++runs);
    },
    onError: state.failed,
    onActivity: updateBusy,
  },
);

/** Opens the model where the switch says, or tries to once more. */
function start(): void {
  const chosen = document.querySelector<HTMLInputElement>("input[name=where]:checked");
  void recogniser.use(chosen?.value === "server" ? "server" : "browser");
}

/** Reads the drawing at the next frame, however many points it grew by until then. */
function requestReading(): void {
  if (isRequested) return;
  isRequested = true;
  updateBusy();
  requestAnimationFrame(() => {
    isRequested = false;
    const image = normaliseDrawing(pad.pixels());
    element("hint", HTMLElement).hidden = image !== undefined;
    seen.show(image);
    if (!image) result.clear();
    recogniser.see(image);
  });
}

function updateBusy(): void {
  dataset.busy = String(isRequested || recogniser.isBusy());
}

addPointerPen(pad);
addKeyboardPen(pad, element("cursor", HTMLElement));
addThemeToggle(element("theme", HTMLButtonElement), () => {
  pad.repaint();
  seen.repaint();
});
element("clear", HTMLButtonElement).addEventListener("click", pad.clear);
for (const radio of document.querySelectorAll("input[name=where]")) radio.addEventListener("change", start);
addOwnModel();
start();
