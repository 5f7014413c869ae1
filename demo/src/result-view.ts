import { element } from "./element.ts";

const announceAfterMs = 700; // a screen reader hears the result once the drawing rests, not at every frame

/** Shows what the model makes of the drawing. */
export interface ResultView {
  show(probabilities: ArrayLike<number>): void;
  /** Nothing is drawn, so there is nothing to show. */
  clear(): void;
}

/** Fills the ten bars into the page and returns the view. */
export function createResultView(): ResultView {
  const digitText = element("digit", HTMLElement);
  const probabilityText = element("probability", HTMLElement);
  const certainty = element("certainty", HTMLElement);
  const announcement = element("announcement", HTMLElement);
  const dial = element("dial", HTMLElement);
  const bars = Array.from({ length: 10 }, (_, digit) => createBar(digit));
  element("probabilities", HTMLOListElement).append(...bars);
  let announcing: ReturnType<typeof setTimeout> | undefined;

  function announce(text: string, afterMs: number): void {
    clearTimeout(announcing);
    announcing = setTimeout(() => {
      announcement.textContent = text;
    }, afterMs);
  }

  function setBars(probabilities: ArrayLike<number>, best: number | undefined): void {
    for (const [digit, bar] of bars.entries()) {
      setBar(bar, probabilities[digit] ?? 0);
      bar.toggleAttribute("data-best", digit === best);
    }
  }

  function clear(): void {
    setBars([], undefined);
    digitText.textContent = "";
    probabilityText.textContent = "";
    certainty.textContent = "The answer moves while you draw.";
    dial.style.setProperty("--share", "0");
    announce("", 0);
  }

  clear();
  return {
    show(probabilities) {
      const [digit, next] = rank(probabilities);
      const probability = probabilities[digit] ?? 0;
      setBars(probabilities, digit);
      digitText.textContent = String(digit);
      probabilityText.textContent = probability.toFixed(3);
      certainty.textContent = `probability; next: ${next} ${formatRunnerUp(probabilities[next] ?? 0)}`;
      dial.style.setProperty("--share", String(probability));
      announce(`This reads as ${digit}, with probability ${probability.toFixed(3)}.`, announceAfterMs);
    },
    clear,
  };
}

function createBar(digit: number): HTMLLIElement {
  const bar = document.createElement("li");
  const name = Object.assign(document.createElement("span"), { className: "bar-digit", textContent: String(digit) });
  const track = Object.assign(document.createElement("span"), { className: "bar-track" });
  const value = Object.assign(document.createElement("span"), { className: "bar-value" });
  bar.dataset.digit = String(digit);
  bar.append(name, track, value);
  return bar;
}

function setBar(bar: HTMLLIElement, probability: number): void {
  bar.dataset.probability = String(probability);
  bar.style.setProperty("--share", String(probability));
  bar.title = `${bar.dataset.digit}: ${probability.toFixed(6)}`;
  const value = bar.querySelector(".bar-value");
  if (value) value.textContent = probability < 0.0005 ? "" : probability.toFixed(3);
}

function formatRunnerUp(probability: number): string {
  return probability < 0.001 ? "below 0.001" : `with ${probability.toFixed(3)}`;
}

/** The likeliest digit, and the one after it. */
function rank(probabilities: ArrayLike<number>): readonly [number, number] {
  const digits = Array.from(probabilities, (_, digit) => digit);
  const [first = 0, second = 0] = digits.sort((one, other) => (probabilities[other] ?? 0) - (probabilities[one] ?? 0));
  return [first, second];
}
