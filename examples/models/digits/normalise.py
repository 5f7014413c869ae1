"""The preprocessing: what stands between a drawing and the model's input.

The web page does the same steps. Training, the held-out set and evaluate.py
all go through this file, so there is one definition to keep in step with.
"""

import numpy as np
from PIL import Image

SIZE = 28  # the model's input is SIZE x SIZE
INK_SIDE = 20  # the longer side of the ink after scaling
INK_LEVEL = 25  # a pixel above this (of 255) counts as ink for the bounding box


def ink_box(image):
    """(left, top, right, bottom) of the ink; right and bottom are exclusive."""
    ink = np.asarray(image) > INK_LEVEL
    if not ink.any():
        return None
    rows = np.flatnonzero(ink.any(axis=1))
    columns = np.flatnonzero(ink.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def normalise(image):
    """A grey image (0 = background, 255 = ink) as a 28 x 28 uint8 array."""
    out = np.zeros((SIZE, SIZE), np.uint8)
    box = ink_box(image)
    if box is None:
        return out
    width, height = box[2] - box[0], box[3] - box[1]
    scale = INK_SIDE / max(width, height)
    new_width = max(1, int(width * scale + 0.5))
    new_height = max(1, int(height * scale + 0.5))
    small = image.crop(box).resize((new_width, new_height), Image.Resampling.BOX)
    left, top = (SIZE - new_width) // 2, (SIZE - new_height) // 2
    out[top : top + new_height, left : left + new_width] = np.asarray(small)
    return out


def normalise_jittered(image, rng):
    """As normalise(), but a little off in size, place and resampling filter.

    Browsers resample differently and round differently; a model that has only
    seen perfectly placed digits would be brittle to that.
    """
    box = ink_box(image)
    if box is None:
        return np.zeros((SIZE, SIZE), np.uint8)
    side = np.clip(rng.normal(INK_SIDE, 0.9), 17, 22)
    window = SIZE * max(box[2] - box[0], box[3] - box[1]) / side
    x = (box[0] + box[2] - window) / 2 + rng.uniform(-1.2, 1.2) * window / SIZE
    y = (box[1] + box[3] - window) / 2 + rng.uniform(-1.2, 1.2) * window / SIZE
    # resize() wants its window inside the image, so give the ink a wide margin.
    margin = int(window) + 2
    padded = Image.new("L", (image.width + 2 * margin, image.height + 2 * margin))
    padded.paste(image, (margin, margin))
    x, y = x + margin, y + margin
    filters = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.HAMMING)
    resampling = filters[rng.integers(len(filters))]
    small = padded.resize((SIZE, SIZE), resampling, box=(x, y, x + window, y + window))
    return np.asarray(small)


def degrade(pixels, rng):
    """Fainter ink, a little blur, a little noise: each only now and then."""
    values = pixels.astype(np.float32)
    if rng.random() < 0.3:
        values *= rng.uniform(0.75, 1.0)
    if rng.random() < 0.15:
        sharp = np.pad(values, 1)
        middle = (sharp[:-2] + 2 * sharp[1:-1] + sharp[2:]) / 4
        values = (middle[:, :-2] + 2 * middle[:, 1:-1] + middle[:, 2:]) / 4
    if rng.random() < 0.2:
        values += rng.normal(0, rng.uniform(0, 14), values.shape)
    return np.clip(values, 0, 255).astype(np.uint8)
