"""Writes resize-golden.json: the picture of sdk-images.test.ts in other sizes, as TensorFlow's triangle filter has it.
Run it where TensorFlow is installed: python make-resize-golden.py"""

import json
import os

import numpy as np
import tensorflow as tf

height, width = 13, 17
y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
picture = ((y * 37 + x * 91 + c * 53 + x * y * 7) % 256).astype(np.float32)
sizes = [(4, 5), (13, 17), (20, 6)]
golden = [
    {
        "size": size,
        "pixels": [round(float(v), 4) for v in tf.image.resize(picture, size, "bilinear", antialias=True).numpy().flat],
    }
    for size in sizes
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "resize-golden.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(each) for each in golden) + "\n]\n")
