"""Digits rendered from the fonts that are installed on this system."""

import subprocess
import zlib
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from scipy.ndimage import gaussian_filter, label, map_coordinates

from normalise import degrade, ink_box, normalise, normalise_jittered

CELL = 84  # each glyph is kept as CELL x CELL, its longer side GLYPH
GLYPH = 60
HELD_OUT_SHARE = 0.2
SPECK = 8  # pixels of a cell; smaller pieces and holes are not counted
MIN_LIKENESS = 0.5  # see typical_enough()
DUPLICATE = 0.985  # fonts this alike count as one design, see groups()


def font_files():
    """All TrueType and OpenType files fontconfig knows, in a stable order."""
    listed = subprocess.run(["fc-list", ":", "file"], capture_output=True, text=True, check=True)
    files = {Path(line.rstrip().rstrip(":")) for line in listed.stdout.splitlines()}
    files = [f for f in files if f.suffix.lower() in (".ttf", ".otf")]
    return sorted(files, key=lambda f: (f.name, str(f)))


def has_digits(file):
    """True if the font maps the ten ASCII digits to ten different glyphs."""
    try:
        with TTFont(file, lazy=True) as font:
            cmap = font.getBestCmap() or {}
    except Exception:  # a broken or an unusual font: leave it out
        return False
    glyphs = {cmap.get(ord(d)) for d in "0123456789"}
    return None not in glyphs and ".notdef" not in glyphs and len(glyphs) == 10


def render(file):
    """The family name and a [10, CELL, CELL] array, or None if one is blank."""
    try:
        font = ImageFont.truetype(str(file), 120)
        cells = []
        for digit in "0123456789":
            canvas = Image.new("L", (400, 400))
            ImageDraw.Draw(canvas).text((120, 120), digit, font=font, fill=255)
            box = ink_box(canvas)
            if box is None:
                return None
            width, height = box[2] - box[0], box[3] - box[1]
            scale = GLYPH / max(width, height)
            size = max(1, round(width * scale)), max(1, round(height * scale))
            glyph = canvas.crop(box).resize(size, Image.Resampling.BOX)
            cell = Image.new("L", (CELL, CELL))
            cell.paste(glyph, ((CELL - size[0]) // 2, (CELL - size[1]) // 2))
            cells.append(np.asarray(cell))
    except Exception:
        return None
    return font.getname()[0], np.stack(cells)


def looks(cells):
    """Each digit normalised, blurred and scaled to unit length with mean 0."""
    images = np.stack([normalise(Image.fromarray(c)) for c in cells]).astype(np.float32)
    flat = np.stack([gaussian_filter(i, 1.5).ravel() for i in images])
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-9)


def solid(cells):
    """True if all ten digits are plain strokes, as a pen would draw them.

    Every digit has at most two pieces of ink (a stencil 5, a dotted 0) and no
    more than two enclosed holes (an 8, a slashed 0). Outlined, hatched,
    dotted and framed fonts fail: nobody draws digits like that with a pen.
    """
    for cell in cells:
        ink = np.pad(cell, 1) >= 128
        pieces, _ = label(ink, np.ones((3, 3)))
        sizes = np.bincount(pieces.ravel())[1:]
        background, _ = label(~ink)
        hole_sizes = np.bincount(background[~ink])[1:]  # the outside counts as one
        if (sizes >= SPECK).sum() > 2 or (hole_sizes >= SPECK).sum() > 3:
            return False
    return True


def typical_enough(all_looks):
    """Which fonts draw latin digits at all, by one rule for every font.

    The typical shape of a digit is the median over all fonts. A font is kept
    if every one of its ten digits correlates with the typical shape of that
    digit by at least MIN_LIKENESS. Symbol fonts, dingbats and fonts with
    other things in the digits' places fail. The trained model is not asked.
    """
    typical = np.median(all_looks, axis=0)
    typical /= np.linalg.norm(typical, axis=1, keepdims=True)
    likeness = np.einsum("fdp,dp->fd", all_looks, typical)
    return likeness.min(axis=1) >= MIN_LIKENESS


def groups(families, all_looks):
    """One group number per font; a family and its near-copies share one.

    The held-out fonts must be designs the model has not seen, so a whole
    family goes to one side, and so does a font which is a copy under another
    name (Noto Sans ships the same digits with each of its many scripts).
    """
    parent = list(range(len(families)))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first_of = {}
    for i, family in enumerate(families):
        parent[root(i)] = root(first_of.setdefault(family, i))
    flat = all_looks.reshape(len(families), -1)
    alike = flat @ flat.T / 10
    for i, j in np.argwhere(np.triu(alike, 1) >= DUPLICATE):
        parent[root(i)] = root(j)
    return np.array([root(i) for i in range(len(families))])


def load_fonts():
    """(training groups, held-out groups); a group is a list of glyph arrays."""
    rendered = [render(f) for f in font_files() if has_digits(f)]
    rendered = [r for r in rendered if r is not None]
    found = len(rendered)
    rendered = [r for r in rendered if solid(r[1])]
    all_looks = np.stack([looks(cells) for _, cells in rendered])
    keep = typical_enough(all_looks)
    print(f"fonts: {found} with ten digits, {len(rendered)} solid, {keep.sum()} of them typical enough")
    families = [r[0] for r, k in zip(rendered, keep) if k]
    cells = [r[1] for r, k in zip(rendered, keep) if k]
    numbers = groups(families, all_looks[keep])

    train, held_out = [], []
    for number in sorted(set(numbers), key=lambda n: min(f for f, m in zip(families, numbers) if m == n)):
        members = np.flatnonzero(numbers == number)
        # The side depends on the name only, not on what else is installed.
        name = min(families[i] for i in members)
        draw = zlib.crc32(name.encode()) % 1000
        side = held_out if draw < HELD_OUT_SHARE * 1000 else train
        side.append([cells[i] for i in members])
    for side_name, side in (("training", train), ("held-out", held_out)):
        print(f"fonts, {side_name}: {len(side)} designs, {sum(map(len, side))} files")
    return train, held_out


def warp(pixels, rng):
    """Rotate, shear, stretch and bend one glyph."""
    half = (CELL - 1) / 2
    y, x = np.mgrid[0:CELL, 0:CELL] - half
    angle = np.radians(rng.normal(0, 7))
    shear, stretch = rng.normal(0, 0.1), np.exp(rng.normal(0, 0.13))
    cos, sin = np.cos(angle), np.sin(angle)
    shrink = 1.12  # room for what rotation and shear push outwards
    u = shrink * (cos * x - sin * y + shear * y) / stretch
    v = shrink * (sin * x + cos * y)
    if rng.random() < 0.6:
        strength = rng.uniform(0, 2.5)
        for target in (u, v):
            field = gaussian_filter(rng.normal(0, 1, (CELL // 4, CELL // 4)), 2.5)
            field *= strength / (field.std() + 1e-9)
            target += np.kron(field, np.ones((4, 4)))
    warped = map_coordinates(pixels.astype(np.float32), [v + half, u + half], order=1)
    return np.clip(warped, 0, 255).astype(np.uint8)


def shape(image):
    """How many pieces of ink and how many areas of background it has."""
    ink = np.pad(np.asarray(image), 1) >= 128
    return label(ink, np.ones((3, 3)))[1], label(~ink)[1]


def thicken_or_thin(image, rng):
    """Another weight of the same design.

    Only if the digit stays what it is: an 8 whose holes have closed or a 2
    that has come apart would teach the model nothing.
    """
    choice = rng.random()
    if choice < 0.3:
        changed = image.filter(ImageFilter.MaxFilter(3 if rng.random() < 0.6 else 5))
    elif choice < 0.5:
        changed = image.filter(ImageFilter.MinFilter(3))
    else:
        return image
    return changed if shape(changed) == shape(image) else image


def font_digit(font_groups, digit, rng):
    """One augmented 28 x 28 image of the digit in a randomly chosen design."""
    group = font_groups[rng.integers(len(font_groups))]
    cells = group[rng.integers(len(group))]
    image = thicken_or_thin(Image.fromarray(warp(cells[digit], rng)), rng)
    pixels = normalise_jittered(image, rng) if rng.random() < 0.6 else normalise(image)
    return degrade(pixels, rng)


def plain_renders(font_groups):
    """Every digit of every font, only normalised."""
    images, labels = [], []
    for group in font_groups:
        for cells in group:
            images += [normalise(Image.fromarray(c)) for c in cells]
            labels += range(10)
    return np.stack(images), np.array(labels)
