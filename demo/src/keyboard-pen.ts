import { type DrawingPad, type Point, padSide } from "./drawing-pad.ts";

const arrows: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const step = 10; // per key press, in the pad's coordinates; with Shift, fineStep
const fineStep = 2;

/**
 * Draws with the keyboard while the pad has the focus: arrow keys move the cursor (two at once: diagonally), Space puts
 * the pen down or up, Delete, Backspace and Escape clear.
 */
export function addKeyboardPen(pad: DrawingPad, cursor: HTMLElement): void {
  const { canvas } = pad;
  const held = new Set<string>();
  let place: Point = { x: padSide / 2, y: padSide / 4 };
  let isDown = false;

  function show(): void {
    cursor.style.left = `${(place.x / padSide) * 100}%`;
    cursor.style.top = `${(place.y / padSide) * 100}%`;
    cursor.dataset.pen = isDown ? "down" : "up";
  }

  function move(distance: number): void {
    const steps = [...held].map((key) => arrows[key] as Point); // only arrows are held
    const x = place.x + distance * steps.reduce((sum, each) => sum + each.x, 0);
    const y = place.y + distance * steps.reduce((sum, each) => sum + each.y, 0);
    place = { x: clamp(x), y: clamp(y) };
    if (isDown) pad.extend(place);
  }

  function press({ key, shiftKey, repeat }: KeyboardEvent): boolean {
    if (key in arrows) {
      held.add(key);
      move(shiftKey ? fineStep : step);
    } else if (key === " ") {
      if (!repeat) isDown = !isDown;
      if (isDown && !repeat) pad.begin(place);
    } else if (["Delete", "Backspace", "Escape"].includes(key)) {
      isDown = false;
      pad.clear();
    } else {
      return false;
    }
    return true;
  }

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !press(event)) return;
    event.preventDefault(); // arrows and Space would scroll the page
    show();
  });
  canvas.addEventListener("keyup", ({ key }) => held.delete(key));
  for (const type of ["blur", "pointerdown"]) {
    canvas.addEventListener(type, () => {
      held.clear();
      isDown = false;
      show();
    });
  }
  show();
}

function clamp(value: number): number {
  return Math.min(padSide, Math.max(0, value));
}
