"""Runs a SavedModel's serving_default in this process: for each number on stdin so many times; prints the median in ms."""

import sys
import time

import numpy as np
import tensorflow as tf

model = tf.saved_model.load(sys.argv[1])
run = model.signatures["serving_default"]
inputs = {
    name: np.sin(np.arange(np.prod([size or 1 for size in spec.shape]))).reshape([size or 1 for size in spec.shape])
    for name, spec in run.structured_input_signature[1].items()
}
inputs = {name: values.astype(run.structured_input_signature[1][name].dtype.as_numpy_dtype) for name, values in inputs.items()}

for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        outputs = run(**{name: tf.constant(values) for name, values in inputs.items()})
        for output in outputs.values():
            output.numpy()
        times.append((time.perf_counter() - start) * 1000)
    print(sorted(times)[len(times) // 2], flush=True)
