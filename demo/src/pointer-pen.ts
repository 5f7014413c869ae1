import { type DrawingPad, type Point, padSide } from "./drawing-pad.ts";

/** Draws with the mouse, a finger or a pen. One pointer draws at a time; a second finger does nothing. */
export function addPointerPen(pad: DrawingPad): void {
  const { canvas } = pad;
  let drawing: number | undefined; // the id of the pointer that is down

  canvas.addEventListener("pointerdown", (event) => {
    if (drawing !== undefined || event.button !== 0) return;
    drawing = event.pointerId;
    canvas.setPointerCapture(event.pointerId); // strokes may leave the pad and come back
    pad.begin(toPad(event, canvas));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drawing) return;
    // Pointers report more often than frames are drawn; the events in between are the smooth curve.
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length > 0 ? events : [event]) pad.extend(toPad(each, canvas));
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
    canvas.addEventListener(type, (event) => {
      if (event.pointerId === drawing) drawing = undefined;
    });
  }
}

function toPad({ clientX, clientY }: PointerEvent, canvas: HTMLCanvasElement): Point {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return { x: ((clientX - left) / width) * padSide, y: ((clientY - top) / height) * padSide };
}
