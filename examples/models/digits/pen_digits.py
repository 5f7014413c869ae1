"""Digits as a person draws them with a mouse: pen strokes, made by rule.

Each digit has a few ways of being written. A way is a list of strokes, a
stroke is a list of pieces, a piece is a list of control points (x to the
right, y down, the digit about 1 high). Within a piece the pen moves smoothly;
between two pieces it turns a corner. Everything that can vary is random.
"""

import numpy as np
from PIL import Image, ImageDraw

from normalise import degrade, normalise, normalise_jittered


def arc(cx, cy, rx, ry, start, end, points=9):
    """Part of an ellipse; degrees, 0 = right, 90 = down, 270 = up."""
    t = np.radians(np.linspace(start, end, points))
    return [(cx + rx * np.cos(a), cy + ry * np.sin(a)) for a in t]


def line(*points):
    """Straight pieces through the points, with a corner at each."""
    return [[a, b] for a, b in zip(points, points[1:])]


def bowed(a, b, bow):
    """One piece from a to b that is bent sideways by bow."""
    middle = (a[0] + b[0]) / 2 - bow * (b[1] - a[1]), (a[1] + b[1]) / 2 + bow * (b[0] - a[0])
    return [a, middle, b]


def zero(r, pick):
    width = r(0.19, 0.46)
    start, sweep = r(200, 320), pick([-1, 1]) * r(335, 395)
    if pick(["round", "round", "round", "boxy"]) == "round":
        points = arc(0, 0.5, width, 0.5, start, start + sweep, 13)
        drift = r(-0.07, 0.05)  # the end misses the start a little
        points = [(x + drift * i / 12, y) for i, (x, y) in enumerate(points)]
    else:
        points = arc(0, 0.5, 1, 1, start, start + sweep, 17)
        power = r(0.45, 0.8)
        points = [(width * np.sign(x) * abs(x) ** power, 0.5 + 0.5 * np.sign(y - 0.5) * abs(y - 0.5) ** power) for x, y in points]
    strokes = [[points]]
    extra = r(0, 1)
    if extra < 0.1:
        reach = r(0.5, 1.15)
        strokes.append(line((width * reach, 0.5 - 0.42 * reach), (-width * reach, 0.5 + 0.42 * reach)))
    return strokes


def one(r, pick):
    style = pick(["plain", "plain", "flag", "flag", "flag", "flag and base", "flag and base", "base"])
    lean = r(-0.06, 0.12)
    top, bottom = (lean, 0), (0, 1)
    stem = [bowed(top, bottom, r(-0.04, 0.04))]
    if style == "plain":
        lean = r(-0.1, 0.3)
        return [[bowed((lean, 0), (0, 1), r(-0.05, 0.05))]]
    strokes = [stem]
    if "flag" in style:
        angle = r(34, 68)
        length = r(0.14, 0.34 if angle < 45 else 0.5)  # long and flat would be a 7
        angle = np.radians(angle)
        tip = (lean - length * np.cos(angle), length * np.sin(angle))
        flag = [bowed(tip, top, r(-0.2, 0.2))]
        strokes = [flag + stem] if r(0, 1) < 0.85 else [stem, flag]
    if "base" in style:
        left, right, tilt = r(0.1, 0.36), r(0.1, 0.36), r(-0.04, 0.04)
        strokes.append(line((-left, 1 - tilt), (right, 1 + tilt)))
    if style == "base":
        strokes.append(line((lean - r(0.05, 0.25), r(-0.02, 0.05)), (lean + r(0, 0.2), r(-0.02, 0.03))))
    return strokes


def two(r, pick):
    style = pick(["corner", "corner", "corner", "loop", "loop", "flat", "swan"])
    rx, ry = r(0.22, 0.36), r(0.2, 0.32)
    left, right, low = -r(0.22, 0.38), r(0.22, 0.42), 1 + r(-0.05, 0.05)
    tilt = r(-0.07, 0.07)
    if style == "flat":
        corner = (right * r(0.75, 1), r(-0.04, 0.04))
        return [line((left * r(0.6, 1), r(-0.04, 0.08)), corner, (left, low), (right, low + tilt))]
    top = arc(0, ry, rx, ry, r(165, 235), r(360, 395), 7)
    if style == "corner":
        diagonal = top + [(r(-0.06, 0.14), r(0.58, 0.72)), (left, low)]
        base = [(left, low), ((left + right) / 2, low + r(-0.05, 0.05)), (right, low + tilt)]
        return [[diagonal, base]]
    if style == "swan":
        return [[top + [(r(-0.05, 0.12), 0.66), (left, r(0.88, 0.95)), (left + 0.1, low), (right * 0.5, low), (right, low + tilt)]]]
    size = r(0.05, 0.13)  # the small loop at the lower left
    loop = arc(left + size, low - size, size, size * r(0.6, 1), 20, 300, 7)
    return [[top + [(r(0, 0.12), r(0.6, 0.72))] + loop + [(r(-0.02, 0.1), low - r(0, 0.08)), (right, low + tilt)]]]


def three(r, pick):
    style = pick(["round", "round", "round", "smooth", "flat", "flat", "angular", "loop"])
    waist = r(0.4, 0.52)
    rx1, rx2 = r(0.2, 0.34), r(0.24, 0.4)
    inner = r(-0.14, 0.08)  # how far left the two bows meet
    lower = arc(0, (1 + waist) / 2, rx2, (1 - waist) / 2, r(-80, -55), r(120, 185), 9)
    if style in ("flat", "angular"):
        left, right = -r(0.2, 0.36), r(0.16, 0.34)
        top = line((left, r(-0.05, 0.06)), (right, r(-0.05, 0.05)), (inner, waist))
        if style == "flat":
            return [top + [[(inner, waist)] + lower]]
        return [top + line((inner, waist), (right + r(0, 0.1), r(0.62, 0.8)), (left * r(0.7, 1.1), 1))]
    upper = arc(0, waist / 2, rx1, waist / 2, r(175, 245), r(415, 435), 8)
    if style == "smooth":
        return [[upper + [(inner + 0.12, waist)] + lower]]
    if style == "loop":
        size = r(0.03, 0.07)
        return [[upper + arc(inner, waist, size * 1.4, size, 45, 300, 5) + lower]]
    return [[upper + [(inner, waist)], [(inner, waist)] + lower]]


def four(r, pick):
    style = pick(["open", "open", "open", "closed", "closed", "one stroke", "cup", "cup"])
    bar, stem = r(0.5, 0.74), r(0.06, 0.2)
    left, right = -r(0.24, 0.42), stem + max(0, r(-0.04, 0.3))
    tilt, foot = r(-0.06, 0.06), stem + r(-0.1, 0.05)
    if style == "closed":
        top = (stem + r(-0.04, 0.04), r(-0.03, 0.06))
        return [line(top, (left, bar), (right, bar + tilt)), line((stem + r(-0.02, 0.03), r(-0.03, 0.1)), (foot, 1))]
    if style == "one stroke":
        if r(0, 1) < 0.5:
            return [line((right, bar + tilt), (left, bar), (stem, 0), (foot, 1))]
        return [line((foot, 1), (stem, 0), (left, bar), (right, bar + tilt))]
    high = r(0, 0.35)  # where the stem begins
    second = [bowed((stem + r(-0.02, 0.08), high), (foot, 1), r(-0.04, 0.04))]
    start = (r(left - 0.04, stem - 0.2), r(0, 0.12) if high > 0.05 else r(-0.05, 0.25))
    if style == "open":
        return [[bowed(start, (left, bar), r(-0.08, 0.08))] + line((left, bar), (right, bar + tilt)), second]
    start = (left + r(-0.04, 0.06), start[1])
    cup = [start, (left, bar - 0.2), (left + 0.09, bar - 0.03), (stem - 0.12, bar + tilt), (max(right, stem), bar + tilt)]
    return [[cup], second]


def five(r, pick):
    style = pick(["one stroke", "one stroke", "two strokes", "two strokes", "two strokes", "smooth", "angular"])
    left, right, shoulder = -r(0.2, 0.34), r(0.18, 0.4), r(0.36, 0.54)
    rx, ry = r(0.26, 0.4), (1 - shoulder) / 2 + r(0, 0.06)
    cx = left + rx * r(0.5, 0.95)
    lean, tilt = r(-0.02, 0.12), r(-0.07, 0.07)
    belly = arc(cx, 1 - ry, rx, ry, r(235, 275), r(470, 525), 9)
    heel = (left, shoulder + r(-0.02, 0.08))
    corner = (left + lean, r(-0.02, 0.04))
    if style == "smooth":
        return [[[(right, tilt), (0.05, -0.02), (left + 0.05, 0.08), (left, shoulder - 0.1), (left + 0.14, shoulder + 0.03)] + belly[2:]]]
    if style == "angular":
        side = right + r(-0.05, 0.05)
        return [line((right, tilt), corner, heel, (side, shoulder + r(-0.04, 0.06)), (side, r(0.9, 1)), (left, 1 + r(-0.05, 0.03)))]
    body = line(corner, heel) + [[heel] + belly[1:]]
    if style == "one stroke":
        return [line((right, corner[1] + tilt), corner) + body]
    bar = line((corner[0] + r(-0.06, 0.09), corner[1] + r(-0.06, 0.06)), (right, corner[1] + tilt))
    return [body, bar]


def six(r, pick):
    style = pick(["curved", "curved", "curved", "straight", "upright", "hooked"])
    ry = r(0.19, 0.28)
    rx, cy = r(0.2, 0.36), 1 - ry
    loop = arc(0, cy, rx, ry, 165, 165 - r(290, 400), 11)
    if style == "straight":
        stem = [(r(0, 0.25), 0), (-rx * 0.7, cy - ry * r(0.7, 1))]
    elif style == "upright":
        stem = [(-rx + r(-0.03, 0.06), 0), (-rx, 0.4)]
    else:
        stem = [(r(0.02, 0.3), 0), (-rx * r(0.4, 0.7), r(0.18, 0.3)), (-rx * r(0.92, 1.05), r(0.42, 0.55))]
        if style == "hooked":
            stem = [(r(0.2, 0.38), r(0.1, 0.2)), (r(0.1, 0.15), 0)] + stem[1:]
    return [[stem + loop]]


def seven(r, pick):
    left, right = -r(0.22, 0.42), r(0.2, 0.36)
    tilt, foot = r(-0.08, 0.07), r(left * 0.8, right * 0.65)
    corner = (right, tilt)
    top = [[(left, 0), ((left + right) / 2, tilt / 2 + r(-0.05, 0.05)), corner]]
    if r(0, 1) < 0.2:  # a small serif hangs off the left end
        top = line((left + r(-0.02, 0.03), r(0.1, 0.24)), (left, 0)) + top
    if r(0, 1) < 0.15:  # no corner: the pen swings around
        return [[[(left, 0.02), (0, -0.01), (right - 0.1, 0), (right, 0.09), (right - 0.1, 0.3), ((foot + right) / 2 - 0.06, 0.6), (foot, 1)]]]
    strokes = [top + [bowed(corner, (foot, 1), r(-0.03, 0.14))]]
    if r(0, 1) < 0.4:
        height, half = r(0.4, 0.62), r(0.1, 0.26)
        middle = right + (foot - right) * height + r(-0.06, 0.05)
        slope = r(-0.08, 0.06)
        strokes.append(line((middle - half, height - slope), (middle + half, height + slope)))
    return strokes


def eight(r, pick):
    style = pick(["one stroke", "one stroke", "one stroke", "two circles", "two circles", "s and line"])
    waist, rx1, rx2 = r(0.38, 0.54), r(0.17, 0.31), r(0.2, 0.36)
    ry1, ry2 = waist / 2, (1 - waist) / 2
    if style == "two circles":
        turn = pick([-1, 1])
        lap = r(0, 0.05)
        return [
            [arc(r(-0.03, 0.03), ry1 + lap, rx1, ry1 + lap, a, a + turn * r(340, 385), 11)] if upper
            else [arc(0, waist + ry2 - lap, rx2, ry2 + lap, a, a + turn * r(340, 385), 11)]
            for upper, a in ((True, r(-150, 100)), (False, r(-150, -30)))
        ]
    if style == "s and line":
        top = (r(0.1, 0.28), r(0.02, 0.14))
        s = [top] + arc(0, ry1, rx1, ry1, 275, 140, 5)
        s += arc(0, waist + ry2, rx2, ry2, -40, 180, 7)
        return [[s, [s[-1], (r(-0.08, 0.08), waist + r(-0.05, 0.05)), (top[0] + r(-0.05, 0.05), top[1] + r(-0.04, 0.1))]]]
    points = []
    for t in np.linspace(0, 360, 21):  # once round: down the S and back up
        a = np.radians(t)
        y = 0.5 - 0.5 * np.cos(a)
        y = y * (2 * waist) if y < 0.5 else waist + (y - 0.5) * 2 * (1 - waist)
        points.append((-np.sin(2 * a) * (rx1 if y < waist else rx2) * 1.05, y))
    points = points[:-1]
    start = int(r(-5, 4)) % 20
    length = int(r(20, 24))  # 21 closes the loop; less leaves a gap, more overlaps
    path = (points * 3)[start : start + length]
    if r(0, 1) < 0.5:
        path = [(-x, y) for x, y in path]
    return [[path]]


def nine(r, pick):
    style = pick(["straight", "straight", "curved", "curved", "hooked", "two strokes"])
    ry = r(0.19, 0.31)
    rx = r(0.19, 0.34)
    begin = r(-45, 10)
    loop = arc(0, ry, rx, ry, begin, -360 + r(-25, 15), 11)
    if style == "straight":
        foot = (rx * r(-0.6, 1.2), 1)
        joint = loop[-1]
        up = (rx * r(0.9, 1.1), r(0, ry))
        tail = [[joint, up], bowed(up, foot, r(-0.02, 0.08))] if r(0, 1) < 0.5 else [bowed(joint, foot, r(0, 0.08))]
        return [[loop] + tail]
    if style == "two strokes":
        circle = arc(0, ry, rx, ry, begin, begin - r(340, 385), 11)
        top = (rx * r(0.85, 1.15), r(-0.03, 0.25))
        return [[circle], [bowed(top, (rx * r(-0.3, 1.15), 1), r(-0.02, 0.1))]]
    tail = [(rx * r(0.95, 1.1), r(0.5, 0.62))]
    if style == "curved":
        tail += [(rx * r(0.5, 0.85), r(0.78, 0.85)), (rx * r(-0.7, 0.2), 1)]
    else:
        tail += [(rx * r(0.75, 1), r(0.8, 0.88)), (r(-0.06, 0.06), 1), (-rx * r(0.7, 1.1), r(0.82, 0.95))]
    return [[loop + tail]]


WAYS = [zero, one, two, three, four, five, six, seven, eight, nine]


def smooth(points, steps=8):
    """A Catmull-Rom curve through the points."""
    if len(points) < 3:
        t = np.linspace(0, 1, steps)[:, None]
        return points[0] * (1 - t) + points[-1] * t
    padded = np.concatenate([[2 * points[0] - points[1]], points, [2 * points[-1] - points[-2]]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:]):
        parts.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.concatenate(parts + [points[-1:]])


def trace(strokes, rng):
    """The pen's path for each stroke, the control points shaken a little."""
    shake = abs(rng.normal(0, 0.016))
    moved = {}  # a corner belongs to two pieces and must move as one

    def place(point):
        key = round(point[0], 6), round(point[1], 6)
        if key not in moved:
            moved[key] = np.array(point) + rng.normal(0, shake, 2)
        return moved[key]

    paths = []
    for stroke in strokes:
        path = np.concatenate([smooth(np.array([place(p) for p in piece])) for piece in stroke])
        paths.append(path + rng.normal(0, 0.012, 2))  # strokes rarely meet exactly
    return paths


def bend(paths, rng):
    """Slant, turn, stretch and bend the whole digit."""
    angle = np.radians(np.clip(rng.normal(0, 7), -20, 20))
    slant, stretch = rng.normal(-0.06, 0.17), np.exp(rng.normal(0, 0.2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[stretch, slant], [0, 1]])
    amount = abs(rng.normal(0, 0.03))
    waves = rng.normal(0, 1, (2, 2, 2)) * 3.5  # output axis, wave, direction
    phases = rng.uniform(0, 2 * np.pi, (2, 2))
    bent = []
    for path in paths:
        path = path - [0, 0.5]
        offset = [sum(np.sin(path @ waves[k, w] + phases[k, w]) for w in range(2)) for k in range(2)]
        bent.append((path + amount * np.stack(offset, axis=1)) @ matrix.T)
    return bent


def resample(path, spacing):
    """Points about every `spacing` along the path, both ends kept."""
    lengths = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    count = max(2, int(lengths[-1] / spacing) + 1)
    at = np.linspace(0, lengths[-1], count)
    return np.stack([np.interp(at, lengths, path[:, k]) for k in range(2)], axis=1)


def hand(path, rng, style):
    """What the mouse makes of a path; in canvas pixels."""
    cut = rng.random()
    if cut < 0.25 and len(path) > 12:  # begins late or stops early
        n = rng.integers(1, 1 + len(path) // 12)
        path = path[n:] if rng.random() < 0.4 else path[:-n]
    elif cut < 0.35:  # overshoots
        path = np.concatenate([path, path[-1:] + (path[-1:] - path[-3:-2]) * rng.uniform(0.5, 2)])
    if style == "smooth":
        return resample(path, 5)
    if style == "coarse":  # few events: a polygon
        path = resample(path, rng.uniform(10, 45))
        return path + rng.normal(0, rng.uniform(0, 2), path.shape)
    path = resample(path, rng.uniform(4, 12))  # a shaky hand
    noise = rng.normal(0, rng.uniform(0.5, 2.2), path.shape)
    for i in range(1, len(noise)):
        noise[i] += 0.6 * noise[i - 1]
    return path + noise


def pen_strokes(digit, rng):
    """(strokes, pen width) on the scale of a 280 x 280 canvas."""
    strokes = WAYS[digit](rng.uniform, lambda ways: ways[rng.integers(len(ways))])
    paths = bend(trace(strokes, rng), rng)
    everything = np.concatenate(paths)
    low, high = everything.min(axis=0), everything.max(axis=0)
    # A digit between 36 % and 97 % of the canvas, a pen about 13 to 28 wide,
    # but no thicker than about 4.6 of 28 once normalised.
    pen = rng.uniform(13, 28)
    size = rng.uniform(0.36, 0.97) * 280 - pen
    pen = min(pen, 0.3 * size)
    style = ("smooth", "smooth", "coarse", "shaky")[rng.integers(4)]
    scale = size / (high - low).max()
    return [hand((p - low) * scale, rng, style) for p in paths], pen


def draw(strokes, pen, scale):
    """Strokes with round ends and joints, as a grey image cut to fit."""
    everything = np.concatenate(strokes)
    low, high = everything.min(axis=0) - pen, everything.max(axis=0) + pen
    width, height = np.ceil((high - low) * scale).astype(int)
    image = Image.new("L", (int(width), int(height)))
    pencil = ImageDraw.Draw(image)
    radius = pen * scale / 2
    for stroke in strokes:
        points = [tuple(p) for p in ((np.asarray(stroke) - low) * scale).tolist()]
        if len(points) > 1:
            pencil.line(points, fill=255, width=max(1, round(pen * scale)))
        for x, y in points:
            pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return image


def pen_digit(digit, rng):
    """One augmented 28 x 28 image of the digit, drawn with a round pen."""
    strokes, pen = pen_strokes(digit, rng)
    image = draw(strokes, pen, scale=0.6)  # 0.6 is enough: it ends up 20 high
    pixels = normalise_jittered(image, rng) if rng.random() < 0.6 else normalise(image)
    return degrade(pixels, rng)
