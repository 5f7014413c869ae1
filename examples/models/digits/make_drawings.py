#!/usr/bin/env python3
"""Make drawings.json: digits as a person would draw them with a mouse.

This is a test set, so it deliberately shares nothing with any training data:
no digit images or fonts are read. Each digit has several writing habits, given
below as hand-placed key points. A drawing is one habit, bent a little, traced
as a smooth curve, and then "drawn" by a simple model of a hand on a mouse:

  * each piece of a stroke is a movement of minimum-jerk kind (slow at its ends,
    fast in the middle), slower still where the curve is tight;
  * a piece starts slightly before the last one has ended, and the two movements
    add up, which rounds off corners as a moving hand does;
  * the ends fall short or run over, and the hand wobbles and trembles;
  * the browser reports the position at uneven moments, in whole pixels.

Everything is seeded, so the same file comes out each time. Only the standard
library is used.

    python3 make_drawings.py            # writes drawings.json beside this file
"""

import json
import math
import random
from pathlib import Path

CANVAS = 280
PEN = 20
PER_DIGIT = 14
CLEAN = 2  # of those: large, tidy and centred, with the first habits of the digit


def arc(cx, cy, rx, ry, start, end):
    """Key points on an ellipse; degrees, 0 = right, growing clockwise on screen."""
    steps = max(3, round(abs(end - start) / 40))
    points = []
    for i in range(steps + 1):
        a = math.radians(start + (end - start) * i / steps)
        points.append((cx + rx * math.cos(a), cy + ry * math.sin(a)))
    return points


# digit -> [(habit, width / height, strokes)]. A stroke is a list of pieces, a
# piece a list of key points in percent of the digit's box (y down), with a
# corner wherever two pieces meet.
HABITS = {
    0: [
        ("oval", 0.70, [[arc(50, 50, 50, 50, -80, -440)]]),
        ("wide", 0.92, [[arc(50, 50, 50, 50, -70, -440)]]),
        ("narrow", 0.50, [[arc(50, 50, 50, 50, -75, -440)]]),
        ("gap", 0.72, [[arc(50, 50, 50, 50, -65, -405)]]),
        ("overlap", 0.72, [[[(66, 10)] + arc(50, 50, 50, 50, -100, -440) + [(80, 22)]]]),
        ("tilted", 0.66, [[[(72, 0), (40, 8), (8, 42), (0, 76), (22, 100), (56, 94),
                            (90, 60), (100, 24), (80, 2), (64, 2)]]]),
        ("clockwise", 0.68, [[arc(50, 50, 50, 50, -110, 248)]]),
    ],
    1: [
        ("bar", 0.04, [[[(50, 0), (50, 100)]]]),
        ("flag", 0.26, [[[(0, 25), (100, 0)], [(100, 0), (100, 100)]]]),
        ("flag-foot", 0.50, [[[(8, 24), (54, 0)], [(54, 0), (54, 100)]],
                             [[(0, 100), (100, 100)]]]),
        ("leaning-bar", 0.22, [[[(100, 0), (0, 100)]]]),
        ("short-flag", 0.17, [[[(0, 19), (100, 0)], [(100, 0), (90, 100)]]]),
        ("bar-upward", 0.08, [[[(30, 100), (60, 0)]]]),
    ],
    2: [
        ("straight-base", 0.68, [[[(4, 24), (20, 6), (50, 0), (82, 9), (92, 30), (72, 60),
                                   (38, 82), (2, 100)], [(2, 100), (100, 100)]]]),
        ("looped", 0.72, [[[(8, 22), (26, 4), (55, 0), (84, 12), (88, 34), (66, 62),
                            (32, 90), (10, 100), (0, 90), (14, 79), (40, 84), (70, 97),
                            (100, 92)]]]),
        ("wavy-base", 0.70, [[[(4, 20), (28, 2), (62, 0), (90, 18), (80, 46), (44, 76),
                               (2, 98)], [(2, 98), (26, 91), (62, 99), (100, 93)]]]),
        ("swan", 0.74, [[[(10, 34), (12, 12), (42, 0), (76, 6), (86, 28), (64, 60),
                          (28, 88), (0, 99)], [(0, 99), (40, 96), (100, 100)]]]),
        ("flat-top", 0.64, [[[(2, 8), (40, 0), (78, 3), (95, 22), (74, 56), (0, 100)],
                             [(0, 100), (98, 98)]]]),
    ],
    3: [
        ("round", 0.64, [[[(4, 14), (34, 0), (74, 4), (88, 24), (68, 42), (34, 48)],
                          [(34, 48), (74, 52), (98, 74), (78, 96), (38, 100), (0, 86)]]]),
        ("flat-top", 0.64, [[[(4, 0), (92, 0)], [(92, 0), (40, 40)],
                             [(40, 40), (82, 48), (98, 72), (74, 97), (34, 100), (0, 88)]]]),
        ("looped", 0.66, [[[(2, 14), (38, 0), (80, 8), (82, 32), (54, 49), (32, 53),
                            (28, 44), (44, 43), (80, 54), (98, 76), (74, 97), (34, 100),
                            (0, 86)]]]),
        ("big-belly", 0.62, [[[(12, 12), (40, 0), (74, 5), (80, 22), (64, 37), (36, 42)],
                              [(36, 42), (80, 46), (100, 70), (80, 95), (38, 100), (0, 86)]]]),
        ("even", 0.56, [[[(0, 10), (40, 0), (84, 8), (92, 28), (66, 46), (30, 49)],
                         [(30, 49), (72, 54), (96, 74), (82, 95), (42, 100), (0, 92)]]]),
    ],
    4: [
        ("open", 0.72, [[[(22, 0), (4, 60)], [(4, 60), (100, 60)]],
                        [[(76, 6), (72, 100)]]]),
        ("closed", 0.72, [[[(70, 0), (0, 66)], [(0, 66), (100, 66)]],
                          [[(70, 0), (70, 100)]]]),
        ("one-stroke", 0.70, [[[(100, 68), (0, 66)], [(0, 66), (70, 0)],
                               [(70, 0), (70, 100)]]]),
        ("open-upright", 0.66, [[[(8, 4), (2, 54)], [(2, 54), (100, 56)]],
                                [[(74, 0), (72, 100)]]]),
        ("open-soft", 0.78, [[[(28, 0), (14, 30), (0, 58)], [(0, 58), (50, 64), (100, 60)]],
                             [[(80, 14), (70, 60), (64, 100)]]]),
    ],
    5: [
        ("two-strokes", 0.66, [[[(12, 0), (6, 43)], [(6, 43), (42, 35), (84, 46), (98, 68),
                                                    (80, 94), (42, 100), (0, 89)]],
                               [[(12, 0), (96, 0)]]]),
        ("one-stroke", 0.66, [[[(94, 0), (12, 0)], [(12, 0), (6, 44)],
                               [(6, 44), (44, 36), (86, 46), (98, 68), (80, 94), (40, 100),
                                (0, 90)]]]),
        ("big-belly", 0.74, [[[(88, 0), (20, 2)], [(20, 2), (8, 40)],
                              [(8, 40), (50, 32), (92, 46), (100, 70), (78, 95), (40, 100),
                               (0, 90)]]]),
        ("rising-bar", 0.64, [[[(16, 6), (8, 46)], [(8, 46), (46, 38), (86, 52), (92, 76),
                                                   (60, 98), (30, 100), (0, 92)]],
                              [[(16, 6), (100, 0)]]]),
        ("soft-corner", 0.62, [[[(96, 1), (56, 0), (22, 4), (13, 18), (6, 46)],
                                [(6, 46), (44, 37), (86, 50), (94, 72), (74, 95), (36, 100),
                                 (0, 92)]]]),
    ],
    6: [
        ("curved", 0.64, [[[(82, 0), (44, 14), (14, 42), (2, 72), (18, 94), (52, 100),
                            (88, 92), (98, 74), (80, 56), (44, 54), (10, 70)]]]),
        ("straight-stem", 0.60, [[[(66, 0), (36, 32), (8, 64), (6, 86), (36, 100), (76, 97),
                                   (98, 78), (84, 58), (50, 55), (10, 72)]]]),
        ("curled-top", 0.66, [[[(92, 13), (72, 0), (40, 6), (12, 36), (2, 70), (18, 94),
                                (54, 100), (90, 92), (98, 72), (78, 53), (40, 53), (8, 68)]]]),
        ("small-loop", 0.56, [[[(74, 0), (34, 20), (8, 52), (2, 78), (22, 97), (56, 100),
                                (90, 88), (84, 68), (48, 62), (8, 78)]]]),
        ("big-loop", 0.70, [[[(72, 0), (34, 16), (8, 46), (4, 76), (28, 98), (64, 99),
                              (96, 80), (90, 54), (56, 45), (20, 54), (6, 68)]]]),
    ],
    7: [
        ("plain", 0.66, [[[(0, 2), (100, 0)], [(100, 0), (36, 100)]]]),
        ("barred", 0.68, [[[(0, 1), (100, 0)], [(100, 0), (38, 100)]],
                          [[(28, 51), (92, 49)]]]),
        ("curved", 0.66, [[[(0, 4), (50, 5), (100, 0)],
                           [(100, 0), (68, 36), (48, 70), (44, 100)]]]),
        ("serif", 0.68, [[[(0, 17), (3, 1)], [(3, 1), (100, 1)], [(100, 1), (40, 100)]]]),
        ("barred-curved", 0.70, [[[(0, 3), (40, 6), (100, 0)],
                                  [(100, 0), (66, 40), (46, 100)]],
                                 [[(26, 54), (88, 46)]]]),
        ("round-corner", 0.64, [[[(0, 4), (50, 0), (92, 2), (94, 16), (66, 52), (34, 100)]]]),
    ],
    8: [
        ("figure-eight", 0.62, [[[(80, 10), (50, 0), (20, 8), (18, 30), (52, 48), (88, 64),
                                  (92, 88), (50, 100), (8, 88), (12, 64), (48, 48), (80, 32),
                                  (85, 18), (77, 6)]]]),
        ("two-circles", 0.60, [[arc(50, 24, 40, 24, -80, -445)],
                               [arc(50, 74, 50, 26, -85, -450)]]),
        ("from-the-middle", 0.62, [[[(50, 47), (18, 33), (18, 12), (50, 0), (82, 12),
                                     (82, 32), (50, 47), (12, 64), (6, 86), (50, 100),
                                     (94, 86), (88, 64), (52, 48)]]]),
        ("unclosed", 0.64, [[[(76, 5), (50, 0), (20, 8), (18, 31), (52, 47), (90, 66),
                              (90, 90), (50, 100), (8, 88), (14, 64), (48, 48), (80, 33),
                              (90, 20)]]]),
        ("big-bottom", 0.66, [[[(70, 5), (48, 0), (24, 9), (24, 29), (54, 42), (94, 62),
                                (94, 88), (50, 100), (4, 88), (8, 60), (46, 42), (74, 28),
                                (77, 14), (66, 3)]]]),
    ],
    9: [
        ("straight-tail", 0.58, [[[(94, 16), (60, 0), (20, 6), (2, 28), (20, 50), (58, 52),
                                   (96, 18)], [(96, 18), (92, 100)]]]),
        ("curled-tail", 0.62, [[[(92, 14), (56, 0), (16, 8), (2, 28), (20, 48), (60, 49),
                                 (94, 16)], [(94, 16), (98, 54), (84, 90), (46, 100),
                                             (6, 88)]]]),
        ("leaning-tail", 0.62, [[[(94, 14), (62, 0), (22, 7), (4, 28), (22, 48), (62, 47),
                                  (98, 10)], [(98, 10), (84, 52), (52, 100)]]]),
        ("two-strokes", 0.60, [[arc(50, 26, 48, 26, -25, -385)],
                               [[(98, 8), (98, 50), (86, 100)]]]),
        ("from-the-top", 0.62, [[[(60, 1), (20, 7), (2, 28), (22, 50), (66, 47), (92, 26),
                                  (84, 6), (56, 0)], [(84, 6), (98, 34), (88, 68), (58, 100)]]]),
    ],
}


def curve(keys):
    """A dense smooth path through the key points (centripetal Catmull-Rom).

    The centripetal kind makes no cusps or stray loops where the key points are
    unevenly spaced."""
    def beyond(p, q):  # a phantom key point past the end p
        return (2 * p[0] - q[0], 2 * p[1] - q[1])

    k = [beyond(keys[0], keys[1])] + list(keys) + [beyond(keys[-1], keys[-2])]
    path = [keys[0]]
    for p0, p1, p2, p3 in zip(k, k[1:], k[2:], k[3:]):
        t0 = 0.0
        t1 = t0 + max(1e-6, math.dist(p0, p1)) ** 0.5
        t2 = t1 + max(1e-6, math.dist(p1, p2)) ** 0.5
        t3 = t2 + max(1e-6, math.dist(p2, p3)) ** 0.5
        for i in range(1, 17):
            t = t1 + (t2 - t1) * i / 16

            def mix(a, b, ta, tb):
                w = (t - ta) / (tb - ta)
                return (a[0] + (b[0] - a[0]) * w, a[1] + (b[1] - a[1]) * w)

            a = mix(p0, p1, t0, t1)
            b = mix(p1, p2, t1, t2)
            c = mix(p2, p3, t2, t3)
            path.append(mix(mix(a, b, t0, t2), mix(b, c, t1, t3), t1, t2))
    return path


def bend(strokes, aspect, rng, mess):
    """One person's version of a habit: key points moved, proportions changed,
    slanted and turned. Returns the strokes in units of the digit's height."""
    aspect *= 1 + rng.uniform(-0.16, 0.16) * mess
    waist = rng.uniform(-4.5, 4.5) * mess  # moves the middle up or down
    slant = rng.uniform(-0.05, 0.2) * mess  # most people lean to the right
    turn = rng.gauss(0, 0.035) * mess
    sin, cos = math.sin(turn), math.cos(turn)

    def place(x, y):
        y += waist * math.sin(math.pi * min(1, max(0, y / 100)))
        x, y = x / 100 * aspect + (0.5 - y / 100) * slant, y / 100
        return (x * cos - y * sin, x * sin + y * cos)

    out = []
    for stroke in strokes:
        # A stroke put down after lifting the pen never lands quite right.
        dx, dy = (rng.gauss(0, 1.4) * mess, rng.gauss(0, 1.4) * mess) if out else (0, 0)
        pieces = []
        for piece in stroke:
            if len(piece) == 2:
                # A middle point to be moved: no hand's straight line is straight.
                (ax, ay), (bx, by) = piece
                piece = [(ax, ay), ((ax + bx) / 2, (ay + by) / 2), (bx, by)]
            # Sideways error is in the digit's height too, or thin digits would
            # get none of it.
            keys = [(x + dx + rng.gauss(0, 1.3) * mess / max(aspect, 0.4),
                     y + dy + rng.gauss(0, 1.3) * mess) for x, y in piece]
            if pieces:
                keys[0] = pieces[-1][-1]  # pieces of one stroke stay joined
            pieces.append(keys)
        # The end of a stroke falls short or runs over, along its direction.
        (ax, ay), (bx, by) = pieces[-1][-2:]
        length = math.dist((ax * aspect, ay), (bx * aspect, by))
        far = 1 + rng.gauss(0.5, 2.2) * mess / length
        pieces[-1][-1] = (ax + (bx - ax) * far, ay + (by - ay) * far)
        out.append([[place(x, y) for x, y in keys] for keys in pieces])
    return out


def fit(strokes, size, rng, clean):
    """Scale to the wanted height of ink (a share of the canvas) and put the
    digit somewhere on the canvas."""
    points = [p for stroke in strokes for piece in stroke for p in piece]
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    margin = PEN / 2 + 4  # the pen's own width, and room for the wobble
    room = CANVAS - 2 * margin
    scale = min((size * CANVAS - PEN) / (bottom - top), room / (right - left + 0.01))
    spare_x = (room - (right - left) * scale) / 2
    spare_y = (room - (bottom - top) * scale) / 2
    # People aim for the middle and miss; some do not aim at all.
    reach = 0.12 if clean else rng.choice([0.35, 0.6, 1.0])
    cx = CANVAS / 2 + max(0, spare_x) * reach * rng.uniform(-1, 1)
    cy = CANVAS / 2 + max(0, spare_y) * reach * rng.uniform(-1, 1)
    mx, my = (left + right) / 2, (top + bottom) / 2
    return [[[(cx + (x - mx) * scale, cy + (y - my) * scale) for x, y in piece]
             for piece in stroke] for stroke in strokes]


class Movement:
    """One piece of a stroke as a movement in time."""

    def __init__(self, keys, speed, sharpness):
        self.path = curve(keys)
        self.sharpness = sharpness
        # Time needed to get to each point at a speed set by the curvature (the
        # hand's "two-thirds power law": speed falls with curvature ^ 1/3).
        self.times = [0.0]
        for i in range(1, len(self.path)):
            p, q = self.path[i - 1], self.path[i]
            step = math.dist(p, q)
            curvature = 0.0
            if i + 1 < len(self.path):
                r = self.path[i + 1]
                a = math.atan2(q[1] - p[1], q[0] - p[0])
                b = math.atan2(r[1] - q[1], r[0] - q[0])
                angle = abs((b - a + math.pi) % (2 * math.pi) - math.pi)
                curvature = angle / max(1e-6, (step + math.dist(q, r)) / 2)
            slow = (1 + 60 * min(curvature, 0.2)) ** (-1 / 3)
            self.times.append(self.times[-1] + step / (speed * slow))
        # A short movement is not as quick as its length would allow.
        self.duration = self.times[-1] + 0.09

    def moved(self, t):
        """How far from its start the hand is after t seconds."""
        u = min(1.0, max(0.0, t / self.duration))
        # Minimum jerk, with some steady motion left in for long pieces.
        smooth = u * u * u * (10 - 15 * u + 6 * u * u)
        at = (self.sharpness * smooth + (1 - self.sharpness) * u) * self.times[-1]
        i = 1
        while i + 1 < len(self.times) and self.times[i] < at:
            i += 1
        w = (at - self.times[i - 1]) / max(1e-9, self.times[i] - self.times[i - 1])
        (ax, ay), (bx, by) = self.path[i - 1], self.path[i]
        x0, y0 = self.path[0]
        return (ax + (bx - ax) * w - x0, ay + (by - ay) * w - y0)


def tremor(rng, amount):
    """A function of time: the hand's slow drift and its faster shake, in pixels."""
    waves = []
    for low, high, size in ((0.5, 1.2, 1.3), (1.6, 3.5, 0.9), (7, 11, 0.35)):
        for axis in (0, 1):
            waves.append((axis, rng.uniform(low, high) * 2 * math.pi,
                          rng.uniform(0, 2 * math.pi), rng.uniform(0.5, 1.3) * size * amount))

    def at(t):
        off = [0.0, 0.0]
        for axis, rate, phase, size in waves:
            off[axis] += size * math.sin(rate * t + phase)
        return off

    return at


def draw(strokes, rng, tremble):
    """Draw the strokes with the mouse; returns them as the browser reports them."""
    speed = rng.uniform(420, 900)  # pixels a second where the way is straight
    sharpness = rng.uniform(0.6, 0.9)
    overlap = rng.uniform(0.02, 0.09)  # seconds by which movements run together
    rate = rng.choice([60, 60, 75, 100, 120])  # events a second
    shake = tremor(rng, tremble)
    now = 0.0
    out = []
    for stroke in strokes:
        movements, starts, t = [], [], 0.0
        for keys in stroke:
            m = Movement(keys, speed, sharpness)
            movements.append(m)
            starts.append(t)
            t += m.duration - min(overlap, m.duration / 3)
        end = starts[-1] + movements[-1].duration
        points, t = [], 0.0
        while True:
            x, y = stroke[0][0]
            for m, start in zip(movements, starts):
                dx, dy = m.moved(t - start)
                x, y = x + dx, y + dy
            sx, sy = shake(now + t)
            point = [round(x + sx + rng.gauss(0, 0.3 * tremble)),
                     round(y + sy + rng.gauss(0, 0.3 * tremble))]
            if not points or point != points[-1]:  # no movement, no event
                points.append(point)
            if t >= end:
                break
            # Events come a little early or late, and now and then one is lost.
            gap = rng.uniform(0.8, 1.2) / rate * (2 if rng.random() < 0.04 else 1)
            t = min(end, t + gap)
        out.append(points)
        now += end + rng.uniform(0.2, 0.4)  # the pen is up
    return out


def drawings_of(digit):
    rng = random.Random(f"nearside drawings {digit}")
    habits = HABITS[digit]
    rough = PER_DIGIT - CLEAN
    # Every size from small to large turns up, in no particular order.
    sizes = [0.42 + 0.47 * (i + rng.random()) / rough for i in range(rough)]
    rng.shuffle(sizes)
    for n in range(PER_DIGIT):
        clean = n < CLEAN
        # The rough ones start at the third habit, so that all get their turn.
        name, aspect, strokes = habits[n % len(habits)]
        size = rng.uniform(0.78, 0.88) if clean else sizes[n - CLEAN]
        mess = 0.35 if clean else rng.uniform(0.7, 1.5)
        # A small drawing is made with smaller, steadier movements.
        tremble = (0.5 if clean else rng.uniform(0.7, 1.5)) * (0.35 + 0.65 * size)
        shape = fit(bend(strokes, aspect, rng, mess), size, rng, clean)
        yield {"digit": digit, "style": name + ("-clean" if clean else ""),
               "strokes": draw(shape, rng, tremble)}


def main():
    drawings = [d for digit in range(10) for d in drawings_of(digit)]
    for d in drawings:
        for stroke in d["strokes"]:
            assert len(stroke) > 3, d["style"]
            for x, y in stroke:
                assert 0 <= x < CANVAS and 0 <= y < CANVAS, (d["digit"], d["style"], x, y)
    lines = ",\n".join(json.dumps(d, separators=(",", ":")) for d in drawings)
    text = (f'{{"canvas":[{CANVAS},{CANVAS}],"penWidth":{PEN},"drawings":[\n'
            f"{lines}\n]}}\n")
    Path(__file__).with_name("drawings.json").write_text(text, encoding="utf-8", newline="\n")
    print(f"{len(drawings)} drawings, {len(text)} bytes")


if __name__ == "__main__":
    main()
