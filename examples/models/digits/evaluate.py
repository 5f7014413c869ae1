"""Reads drawings.json with the saved model and prints every miss.

The drawings are a test set made by somebody else, like a person's mouse
would make them in the web page. Nothing here trains on them.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw

from normalise import normalise

HERE = Path(__file__).parent
FINER = 4  # drawn this much larger and averaged down: antialiased edges


def rasterise(drawing, canvas, pen):
    image = Image.new("L", (canvas[0] * FINER, canvas[1] * FINER))
    pencil = ImageDraw.Draw(image)
    radius = pen * FINER / 2
    for stroke in drawing["strokes"]:
        points = [(x * FINER, y * FINER) for x, y in stroke]
        if len(points) > 1:
            pencil.line(points, fill=255, width=round(pen * FINER))
        for x, y in points:  # round ends and joints
            pencil.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return image.resize(canvas, Image.Resampling.BOX)


def main():
    test = json.loads((HERE / "drawings.json").read_text())
    drawings = test["drawings"]
    images = [normalise(rasterise(d, test["canvas"], d.get("penWidth", test["penWidth"]))) for d in drawings]
    x = np.stack(images)[..., None].astype(np.float32) / 255
    signature = tf.saved_model.load(HERE / "saved_model").signatures["serving_default"]
    answers = signature(image=tf.constant(x))["probabilities"].numpy()

    right = sure = 0
    for index, (drawing, answer) in enumerate(zip(drawings, answers)):
        read = int(answer.argmax())
        if read != drawing["digit"]:
            print(f"miss: #{index} is {drawing['digit']} ({drawing.get('style')}), read as {read} with {answer.max():.3f}")
            continue
        right += 1
        sure += answer.max() > 0.9
        if answer.max() <= 0.9:
            print(f"unsure: #{index} is {drawing['digit']} ({drawing.get('style')}), {answer.max():.3f}; second {answer.argsort()[-2]}")
    print(f"{right}/{len(drawings)} right, {sure} of them above 0.9")


if __name__ == "__main__":
    main()
