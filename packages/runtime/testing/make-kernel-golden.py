"""Writes kernel-golden.json: what TensorFlow computes for the ops below. Run it where TensorFlow is installed:
python make-kernel-golden.py"""

import json
import math
import os

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

R = tf.raw_ops
rng = np.random.default_rng(7)
cases = []


def f(*shape, low=-2.0, high=2.0):
    return rng.uniform(low, high, shape).astype(np.float32)


def i(values, dtype=np.int32):
    return np.array(values, dtype)


def s(*values):
    return np.array(values, object)


def add(op, about="", **arguments):
    """Arrays are inputs; anything else is an attribute."""
    inputs, call = [], {}

    def place(value):
        if not isinstance(value, np.ndarray):
            return value
        inputs.append(value)
        return placeholders[len(inputs) - 1]

    arrays = [v for each in arguments.values() for v in (each if isinstance(each, list) else [each]) if isinstance(v, np.ndarray)]
    graph = tf.Graph()
    with graph.as_default():
        placeholders = [tf.compat.v1.placeholder(tf.as_dtype(a.dtype) if a.dtype != object else tf.string, a.shape) for a in arrays]
        for name, value in arguments.items():
            call[name] = [place(each) for each in value] if isinstance(value, list) else place(value)
        outputs = getattr(R, op)(**call)
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        with tf.compat.v1.Session() as session:
            results = session.run(outputs, dict(zip(placeholders, inputs)))
        node = outputs[0].op.node_def
    attrs = {name: json_format.MessageToDict(value) for name, value in sorted(node.attr.items())}
    cases.append({"op": op, "about": about, "attrs": attrs, "inputs": [tensor(v) for v in inputs], "outputs": [tensor(v) for v in results]})


def tensor(value):
    value = np.asarray(value)
    if value.dtype == object or value.dtype.kind == "S":
        data = [v if isinstance(v, str) else v.decode("utf-8", "surrogateescape") for v in value.ravel().tolist()]
        return {"dtype": "string", "shape": list(value.shape), "data": data}
    dtype = {"f": "float32", "b": "bool"}.get(value.dtype.kind, "int32")
    data = [float("%.9g" % v) if dtype == "float32" else int(v) for v in value.ravel().tolist()]
    return {"dtype": dtype, "shape": list(value.shape), "data": [v if math.isfinite(v) else str(v) for v in data]}


images = f(2, 4, 5, 3, low=0, high=1)
for op in ("RGBToHSV", "HSVToRGB"):
    add(op, images=images)
    add(op, "of grey and of nothing", images=np.array([[0.5, 0.5, 0.5], [0, 0, 0], [1, 0, 0]], np.float32))
    add(op, "of no pixel", images=f(0, 3))
add("AdjustHue", images=images, delta=np.array(0.3, np.float32))
add("AdjustHue", "the other way", images=images, delta=np.array(-0.7, np.float32))
add("AdjustSaturation", images=images, scale=np.array(2.5, np.float32))
add("AdjustContrastv2", images=f(2, 3, 4, 2), contrast_factor=np.array(-1.5, np.float32))
for aligned, half in ((False, False), (True, False), (False, True)):
    for size in ([3, 7], [8, 2]):
        about = f"to {size}, align_corners {aligned}, half_pixel_centers {half}"
        add("ResizeBicubic", about, images=f(1, 4, 5, 2), size=i(size), align_corners=aligned, half_pixel_centers=half)
        if not half:
            add("ResizeArea", about, images=f(1, 4, 5, 2), size=i(size), align_corners=aligned)
for kernel in ("lanczos1", "lanczos3", "lanczos5", "gaussian", "box", "triangle", "keyscubic", "mitchellcubic"):
    for antialias in (True, False):
        add("ScaleAndTranslate", f"{kernel}, antialias {antialias}", images=f(1, 6, 5, 1), size=i([3, 8]),
            scale=np.array([0.5, 1.6], np.float32), translation=np.array([0, 0.3], np.float32), kernel_type=kernel, antialias=antialias)
for padding in ("SAME", "VALID"):
    add("ExtractImagePatches", padding, images=f(1, 5, 6, 2), ksizes=[1, 2, 3, 1], strides=[1, 2, 1, 1], rates=[1, 1, 2, 1], padding=padding)

wide = np.array([-30.5, -3.7, -2.5, -1.2, -0.5, 0.1, 0.5, 1, 1.5, 2, 3.3, 10, 40, 200], np.float32)
for op in ("Lgamma", "Digamma", "BesselI0e", "BesselI1e", "Rint"):
    add(op, x=wide)
add("Lgamma", "at its poles", x=np.array([0, -1, math.inf, math.nan], np.float32))
for op in ("BesselI0", "BesselI1"):
    add(op, x=wide[1:-2])
add("Rint", "halves", x=np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], np.float32))
add("Erfinv", x=np.array([-1, -0.99, -0.3, 0, 1e-6, 0.5, 0.999, 1, 1.5], np.float32))
add("Ndtri", x=np.array([0, 1e-6, 0.2, 0.5, 0.9, 0.999, 1, 1.5], np.float32))
a = np.array([[0.5], [1], [3], [20]], np.float32)
for op in ("Igamma", "Igammac"):
    add(op, "broadcast", a=a, x=np.array([0, 0.1, 1, 5, 30], np.float32))
add("NextAfter", x1=np.array([0, 0, 1, 1, -1, 2], np.float32), x2=np.array([1, -1, 2, 0, 0, 2], np.float32))
add("MulNoNan", x=np.array([math.nan, math.inf, 2], np.float32), y=np.array([0, 0, 3], np.float32))
add("Softsign", features=wide)
add("L2Loss", t=f(2, 3))
add("L2Loss", "of nothing", t=f(0))

bits = i([0, 1, -1, 5, 127, -128, 77])
for op in ("BitwiseOr", "BitwiseXor"):
    add(op, "broadcast", x=bits.reshape(7, 1), y=i([3, -4]))
    add(op, "uint8", x=bits.astype(np.uint8), y=np.uint8([255]))
for dtype in (np.int8, np.uint8, np.int32):
    add("LeftShift", np.dtype(dtype).name, x=bits.astype(dtype), y=np.array([1, 3, 2, 0, 1, 1, 4], dtype))
    add("RightShift", np.dtype(dtype).name, x=bits.astype(dtype), y=np.array([1, 3, 2, 0, 1, 1, 4], dtype))
    add("Invert", np.dtype(dtype).name, x=bits.astype(dtype))
    add("PopulationCount", np.dtype(dtype).name, x=bits.astype(dtype))
add("Bitcast", input=wide, type=tf.int32)
add("Bitcast", "back", input=i([0, 1065353216, -1082130432]), type=tf.float32)

square = f(2, 3, 3)
definite = np.matmul(square, square.transpose(0, 2, 1)) + 3 * np.eye(3, dtype=np.float32)
add("Cholesky", input=definite)
add("Cholesky", "of no matrix", input=f(0, 2, 2))
add("MatrixInverse", input=definite)
add("MatrixInverse", "of the transpose", input=square + 4 * np.eye(3, dtype=np.float32), adjoint=True)
add("MatrixDeterminant", input=square)
add("MatrixDeterminant", "of singular and empty ones", input=np.array([[[1, 2], [2, 4]], [[0, 1], [1, 0]]], np.float32))
add("MatrixDeterminant", "of nothing in it", input=f(2, 0, 0))
add("LogMatrixDeterminant", input=square)
for adjoint in (False, True):
    add("MatrixSolve", f"adjoint {adjoint}", matrix=square + 4 * np.eye(3, dtype=np.float32), rhs=f(2, 3, 2), adjoint=adjoint)
    for lower in (False, True):
        add("MatrixTriangularSolve", f"lower {lower}, adjoint {adjoint}", matrix=definite, rhs=f(2, 3, 2), lower=lower, adjoint=adjoint)
add("MatrixTriangularSolve", "broadcast", matrix=definite[:1], rhs=f(2, 3, 2), lower=True, adjoint=False)

indices, values, shape = i([[0, 1], [0, 3], [2, 0]], np.int64), f(3), i([3, 4], np.int64)
add("SparseReorder", input_indices=indices[::-1].copy(), input_values=values, input_shape=shape)
add("SparseReorder", "of strings", input_indices=indices[::-1].copy(), input_values=s("a", "b", "c"), input_shape=shape)
add("SparseTensorDenseMatMul", a_indices=indices, a_values=values, a_shape=shape, b=f(4, 2))
add("SparseTensorDenseMatMul", "transposed", a_indices=indices, a_values=values, a_shape=shape, b=f(2, 3), adjoint_a=True, adjoint_b=True)
add("SparseTensorDenseMatMul", "of no element", a_indices=i([], np.int64).reshape(0, 2), a_values=f(0), a_shape=shape, b=f(4, 2))
for op in ("SparseReduceSum", "SparseReduceMax"):
    add(op, input_indices=indices, input_values=values, input_shape=shape, reduction_axes=i([1]))
    add(op, "kept", input_indices=indices, input_values=values, input_shape=shape, reduction_axes=i([-2]), keep_dims=True)
    add(op, "along no axis", input_indices=indices, input_values=values, input_shape=shape, reduction_axes=i([]))
for axis in (0, -1):
    add("SparseConcat", f"along {axis}", indices=[indices, indices], values=[values, f(3)], shapes=[shape, shape], concat_dim=axis)
add("SparseConcat", "of strings", indices=[indices, indices], values=[s("a", "b", "c"), s("d", "e", "f")], shapes=[shape, shape], concat_dim=1)
add("SparseSlice", indices=indices, values=values, shape=shape, start=i([0, 1], np.int64), size=i([2, 9], np.int64))
add("SparseDenseCwiseMul", "broadcast", sp_indices=indices, sp_values=values, sp_shape=shape, dense=f(4))
add("SparseDenseCwiseDiv", sp_indices=indices, sp_values=values, sp_shape=shape, dense=f(3, 4, low=1))
add("SparseTensorDenseAdd", a_indices=indices, a_values=values, a_shape=shape, b=f(3, 4))

add("DynamicPartition", data=f(5, 2), partitions=i([0, 2, 0, 1, 2]), num_partitions=4)
add("DynamicPartition", "of strings by a matrix", data=s("a", "b", "c", "d").reshape(2, 2), partitions=i([[1, 0], [0, 1]]), num_partitions=2)
add("DynamicStitch", indices=[i(4), i([[1, 0], [5, 2]])], data=[f(2), f(2, 2, 2)])
add("DynamicStitch", "where the last wins", indices=[i([0, 1]), i([1, 2])], data=[s("a", "b"), s("c", "d")])
add("ParallelDynamicStitch", indices=[i([3, 0]), i([1, 2])], data=[f(2), f(2)])
add("UnravelIndex", indices=i([0, 5, 11]), dims=i([3, 4]))
for op in ("TensorScatterMax", "TensorScatterMin"):
    add(op, tensor=f(4, 2), indices=i([[1], [3], [1]]), updates=f(3, 2))
add("Diag", diagonal=f(2, 2))
add("DiagPart", input=f(2, 3, 2, 3))

words = s("aé", "", "日本", "x😀")
add("UnicodeDecode", input=words, input_encoding="UTF-8")
add("UnicodeDecodeWithOffsets", input=words, input_encoding="UTF-8")
add("UnicodeDecodeWithOffsets", "of bytes that are none", input=np.array([b"a\xffb", b"\x01c"], object), input_encoding="UTF-8", replace_control_characters=True)
add("UnicodeDecode", "left out", input=np.array([b"a\xffb"], object), input_encoding="UTF-8", errors="ignore")
add("UnicodeEncode", input_values=i([97, 233, 26085, 128512]), input_splits=i([0, 2, 2, 4], np.int64), output_encoding="UTF-8")
add("UnicodeTranscode", input=words, input_encoding="UTF-8", output_encoding="UTF-8")
for pad in (False, True):
    add("EncodeBase64", f"pad {pad}", input=np.array([b"", b"a", b"ab", b"\xff\xfe>?"], object), pad=pad)
add("DecodeBase64", input=s("", "YQ", "YWI=", "__4-Pw"))
add("UnsortedSegmentJoin", inputs=s("a", "b", "c", "d"), segment_ids=i([1, 0, 1, 0]), num_segments=i(3), separator="-")
add("UnsortedSegmentJoin", "of rows", inputs=s("a", "b", "c", "d").reshape(2, 2), segment_ids=i([1, 1]), num_segments=i(2))
for dtype in (tf.uint8, tf.int16, tf.int32, tf.float32):
    add("DecodeRaw", dtype.name, bytes=np.array([b"\x00\x01\x80\xff", b"\x00\x00\x80\x3f"], object), out_type=dtype)
add("DecodeRaw", "big-endian", bytes=np.array([b"\x00\x01"], object), out_type=tf.int16, little_endian=False)

add("LRN", input=f(1, 2, 2, 7), depth_radius=2, bias=2.0, alpha=0.5, beta=0.75)
add("LRN", "with TensorFlow's own attributes", input=f(2, 1, 2, 3))
add("TopKV2", input=f(2, 5), k=i(3))
add("TopKV2", "of equal integers, of which the first come first", input=i([[1, 3, 3, 2, 3]]), k=i(2))
add("TopKV2", "of as many as there are", input=f(4), k=i(4))
add("TopKV2", "of none", input=f(2, 3), k=i(0))
add("TopKV2", "of no row", input=f(0, 3), k=i(2))
ascending = np.array([[0, 1, 1, 3], [-2, 5, 6, 7]], np.float32)
for op in ("LowerBound", "UpperBound"):
    add(op, sorted_inputs=ascending, values=np.array([[-1, 1, 2, 9], [-2, 5.5, 7, 1]], np.float32))
    add(op, "of integers", sorted_inputs=i([[1, 4, 4]]), values=i([[4, 0]]))
    add(op, "of no value", sorted_inputs=ascending, values=f(2, 0))
    add(op, "among nothing", sorted_inputs=f(2, 0), values=f(2, 3))
add("Where", condition=np.array([[True, False, True], [False, False, True]]))
add("Where", "of numbers", condition=np.array([0, -0.5, 0, 2], np.float32))
add("Where", "of nothing true", condition=np.zeros((2, 2), bool))
add("ListDiff", x=i([1, 2, 3, 2, 5, 1]), y=i([2, 4]))
add("ListDiff", "which leaves nothing", x=i([1, 2]), y=i([2, 1]))
add("ListDiff", "of strings", x=s("a", "b", "c"), y=s("b"))
for op in ("SparseSegmentMean", "SparseSegmentSum"):
    add(op, "with a segment that is empty", data=f(4, 2), indices=i([3, 0, 3]), segment_ids=i([0, 0, 2]))
    add(op, "of no segment", data=f(4, 2), indices=i([]), segment_ids=i([]))
add("SparseSegmentSum", "of integers", data=i([[1, 2], [3, 4], [5, 6]]), indices=i([0, 1, 2]), segment_ids=i([0, 1, 1]))
lengths = s("", "a", "seven c", "sixteen letters!", "größer", "x" * 17, "ab" * 20, "abcdefgh" * 12)
add("StringToHashBucketFast", input=lengths, num_buckets=1000)
add("StringToHashBucketFast", "of a matrix into one that int32 just holds", input=lengths.reshape(4, 2), num_buckets=2**31 - 1)
add("EuclideanNorm", input=f(2, 3, 2), axis=i([1, -1]))
add("EuclideanNorm", "kept", input=f(2, 3), axis=i([-2]), keep_dims=True)
add("EuclideanNorm", "along no axis", input=f(3), axis=i([]))
add("EuclideanNorm", "of nothing", input=f(0, 3), axis=i([0]))
add("Bincount", arr=i([1, 1, 3, 7]), size=i(4), weights=f(0))
add("Bincount", "weighted", arr=i([1, 1, 3, 7]), size=i(4), weights=f(4))
add("BroadcastArgs", s0=i([2, 1, 3]), s1=i([4, 1]))
add("BroadcastArgs", "with a scalar's", s0=i([]), s1=i([2]))
add("BroadcastArgs", "with nothing", s0=i([0, 3]), s1=i([1, 1]))

add("Fill", dims=i([2, 3]), value=np.array(1.5, np.float32))
add("Fill", "of one integer", dims=i([]), value=i(7))
add("Fill", "with strings", dims=i([2]), value=s("é").reshape(()))
add("Fill", "with bytes that are no text", dims=i([2]), value=np.array(b"a\xff", object))
add("Fill", "with booleans", dims=i([2]), value=np.array(True))
add("Fill", "of nothing", dims=i([2, 0]), value=np.array(True))
add("Range", start=i(3), limit=i(18), delta=i(3))
add("Range", "downwards", start=i(3), limit=i(-2), delta=i(-2))
add("Range", "of floats", start=np.array(0, np.float32), limit=np.array(1, np.float32), delta=np.array(0.3, np.float32))
add("Range", "of floats by tenths", start=np.array(0, np.float32), limit=np.array(1, np.float32), delta=np.array(0.1, np.float32))
add("Range", "of floats that fit in evenly", start=np.array(0, np.float32), limit=np.array(0.3, np.float32), delta=np.array(0.1, np.float32))
add("Range", "of many floats", start=np.array(1, np.float32), limit=np.array(8, np.float32), delta=np.array(0.1, np.float32))
add("Range", "of nothing", start=i(2), limit=i(2), delta=i(1))
add("LinSpace", start=np.array(-1, np.float32), stop=np.array(2, np.float32), num=i(5))
add("LinSpace", "of one", start=np.array(10, np.float32), stop=np.array(12, np.float32), num=i(1))
add("LinSpace", "downwards", start=np.array(3, np.float32), stop=np.array(0, np.float32), num=i(4))

image = f(2, 4, 5, 2)
boxes, owners = np.array([[0, 0, 1, 1], [0.2, 0.9, 0.8, 0.1], [-0.5, 0.5, 0.5, 1.5]], np.float32), i([0, 1, 1])
for method in ("bilinear", "nearest"):
    add("CropAndResize", method, image=image, boxes=boxes, box_ind=owners, crop_size=i([3, 4]), method=method, extrapolation_value=9.0)
add("CropAndResize", "to one pixel", image=image, boxes=boxes, box_ind=owners, crop_size=i([1, 1]))
add("CropAndResize", "of integers", image=i(range(12)).reshape(1, 3, 4, 1), boxes=boxes[:1], box_ind=owners[:1], crop_size=i([2, 3]))
add("CropAndResize", "of no box", image=image, boxes=f(0, 4), box_ind=i([]), crop_size=i([2, 2]))
warp = np.array([[0.9, 0.3, -1.3, -0.2, 1.1, 0.6, 0.01, -0.02], [1, 0, 2.3, 0, 1, -3.2, 0, 0]], np.float32)
for fill_mode in ("CONSTANT", "REFLECT", "WRAP", "NEAREST"):
    for interpolation in ("NEAREST", "BILINEAR"):
        add("ImageProjectiveTransformV3", f"{fill_mode}, {interpolation}", images=image, transforms=warp, output_shape=i([5, 6]),
            fill_value=np.array(0.5, np.float32), interpolation=interpolation, fill_mode=fill_mode)
add("ImageProjectiveTransformV3", "of all images alike", images=image, transforms=warp[:1], output_shape=i([2, 3]),
    fill_value=np.array(0, np.float32), interpolation="BILINEAR")
add("ImageProjectiveTransformV3", "of integers", images=i(range(24)).reshape(1, 4, 6, 1), transforms=warp[:1], output_shape=i([3, 4]),
    fill_value=np.array(7, np.float32), interpolation="BILINEAR")
add("ImageProjectiveTransformV3", "of no image", images=f(0, 4, 5, 2), transforms=warp[:1], output_shape=i([2, 3]), fill_value=np.array(0, np.float32),
    interpolation="NEAREST")
# Of these, the second covers half of the first, the fourth is the first with its corners swapped, the fifth has no area.
rivals = np.array([[0, 0, 2, 2], [0, 0, 2, 1], [0, 1.5, 2, 3.5], [2, 2, 0, 0.1], [1, 1, 1, 1], [5, 5, 6, 6]], np.float32)
scores = np.array([0.9, 0.8, 0.7, 0.9, 0.3, 0.2], np.float32)
half, quarter = np.array(0.5, np.float32), np.array(0.25, np.float32)
add("NonMaxSuppressionV2", boxes=rivals, scores=scores, max_output_size=i(6), iou_threshold=half)
add("NonMaxSuppressionV2", "of two at most", boxes=rivals, scores=scores, max_output_size=i(2), iou_threshold=half)
seven = dict(scores=scores[:2], max_output_size=i(2), iou_threshold=np.array(0.7, np.float32))
add("NonMaxSuppressionV2", "where 0.7 overlap, of float32", boxes=np.array([[0, 0, 10, 10], [0, 0, 7, 10]], np.float32), **seven)
add("NonMaxSuppressionV2", "of nothing", boxes=f(0, 4), scores=f(0), max_output_size=i(3), iou_threshold=half)
add("NonMaxSuppressionV3", boxes=rivals, scores=scores, max_output_size=i(6), iou_threshold=half, score_threshold=quarter)
add("NonMaxSuppressionV3", "where nothing may overlap", boxes=rivals, scores=scores, max_output_size=i(6),
    iou_threshold=np.array(0, np.float32), score_threshold=quarter)
for pad in (False, True):
    add("NonMaxSuppressionV4", f"pad_to_max_output_size {pad}", boxes=rivals, scores=scores, max_output_size=i(5), iou_threshold=half,
        score_threshold=quarter, pad_to_max_output_size=pad)
    for sigma in (0, 0.5):
        add("NonMaxSuppressionV5", f"pad_to_max_output_size {pad}, soft_nms_sigma {sigma}", boxes=rivals, scores=scores, max_output_size=i(6),
            iou_threshold=half, score_threshold=quarter, soft_nms_sigma=np.array(sigma, np.float32), pad_to_max_output_size=pad)

add("CombinedNonMaxSuppression", "where half overlap", boxes=rivals.reshape(1, 6, 1, 4), scores=np.stack([scores, scores[::-1]], 1)[None],
    max_output_size_per_class=i(4), max_total_size=i(7), iou_threshold=half, score_threshold=quarter, clip_boxes=False)

for padding in ("SAME", "VALID"):
    for counted in (False, True):
        add("MaxPoolWithArgmax", f"{padding}, include_batch_in_index {counted}", input=f(2, 4, 5, 2), ksize=[1, 2, 3, 1], strides=[1, 2, 2, 1],
            padding=padding, include_batch_in_index=counted)
    volume = f(1, 4, 5, 3, 2)
    add("Conv3D", padding, input=volume, filter=f(2, 3, 2, 2, 3), strides=[1, 2, 1, 1, 1], padding=padding)
    add("Conv3D", f"{padding}, dilated", input=volume, filter=f(2, 2, 1, 2, 1), strides=[1, 1, 1, 1, 1], dilations=[1, 2, 3, 1, 1], padding=padding)
    add("AvgPool3D", padding, input=volume, ksize=[1, 2, 3, 2, 1], strides=[1, 2, 1, 1, 1], padding=padding)
    add("Dilation2D", padding, input=f(1, 5, 6, 2), filter=f(2, 3, 2), strides=[1, 2, 1, 1], rates=[1, 2, 1, 1], padding=padding)

table = f(2, 3, 2)
add("GatherNd", params=table, indices=i([[[1, 2]], [[0, 0]]]))
add("GatherNd", "of single elements", params=table, indices=i([[1, 2, 0], [0, 1, 1]]))
add("GatherNd", "of the whole", params=table, indices=i([[], []]).reshape(2, 0))
add("GatherNd", "of nothing", params=table, indices=i([]).reshape(0, 2))
add("GatherNd", "of integers", params=i([[1, 2], [3, 4]]), indices=i([[1]]))
add("GatherNd", "of booleans", params=np.array([True, False, True]), indices=i([[2], [1]]))
add("GatherNd", "of strings", params=s("a", "b", "c"), indices=i([[2], [0]]))
add("ScatterNd", indices=i([[1], [3]]), updates=f(2, 2), shape=i([4, 2]))
add("ScatterNd", "where an index that occurs twice counts twice", indices=i([[1], [1]]), updates=i([5, 6]), shape=i([3]))
add("ScatterNd", "of nothing", indices=i([]).reshape(0, 1), updates=f(0, 2), shape=i([2, 2]))
add("TensorScatterUpdate", tensor=f(4, 2), indices=i([[2], [0]]), updates=f(2, 2))
add("TensorScatterUpdate", "of booleans", tensor=np.array([True, True, False]), indices=i([[0], [2]]), updates=np.array([False, True]))
add("TensorScatterUpdate", "of integers one by one", tensor=i([[1, 2], [3, 4]]), indices=i([[1, 0]]), updates=i([9]))
for mode in ("REFLECT", "SYMMETRIC"):
    add("MirrorPad", mode, input=f(2, 3), paddings=i([[1, 1], [2, 2]]), mode=mode)
    add("MirrorPad", f"{mode}, of integers", input=i([1, 2, 3]), paddings=i([[0, 2]]), mode=mode)
    add("MirrorPad", f"{mode}, of images", input=f(1, 2, 3, 2), paddings=i([[0, 0], [1, 0], [0, 2], [0, 0]]), mode=mode)
add("SpaceToBatchND", input=f(1, 4, 3, 2), block_shape=i([2, 2]), paddings=i([[0, 0], [1, 0]]))
add("SpaceToBatchND", "along one axis", input=f(2, 3, 2), block_shape=i([2]), paddings=i([[1, 2]]))
add("SpaceToBatchND", "of integers", input=i([[[1], [2], [3]]]), block_shape=i([2]), paddings=i([[0, 1]]))
add("BatchToSpaceND", "of integers", input=i([[[1], [3]], [[2], [0]]]), block_shape=i([2]), crops=i([[0, 1]]))
add("BatchToSpaceND", input=f(4, 2, 2, 1), block_shape=i([2, 2]), crops=i([[0, 0], [1, 0]]))
add("BatchToSpaceND", "along one axis", input=f(4, 3, 2), block_shape=i([2]), crops=i([[1, 2]]))
add("DepthToSpace", input=f(1, 2, 3, 8), block_size=2)
add("DepthToSpace", "of integers", input=i(range(9)).reshape(1, 1, 1, 9), block_size=3)
for band in ((1, 0), (-1, 0), (0, -1), (-1, -1)):
    add("MatrixBandPart", str(band), input=f(2, 3, 4), num_lower=i(band[0]), num_upper=i(band[1]))
add("MatrixBandPart", "of booleans", input=np.ones((3, 2), bool), num_lower=i(0), num_upper=i(0))
add("MatrixBandPart", "of no matrix", input=f(0, 2, 2), num_lower=i(0), num_upper=i(0))
add("DivNoNan", "broadcast", x=np.array([[1], [0], [math.inf]], np.float32), y=np.array([0, 2, -4], np.float32))
add("ClipByValue", "to a range for each number", t=i([1, 5, 3]).astype(np.float32), clip_value_min=i([2, 2, 2]).astype(np.float32), clip_value_max=i([3, 4, 9]).astype(np.float32))
add("ClipByValue", "of integers to a range for each", t=i([1, 5, 3]), clip_value_min=i([2, 2, 2]), clip_value_max=i([3, 4, 9]))
add("GatherV2", "of strings", params=s("a", "b", "c"), indices=i([[2], [0]]), axis=i(0))
add("GatherV2", "of strings in batches", params=s("a", "b", "c", "d").reshape(2, 2), indices=i([[1, 1], [0, 1]]), axis=i(1), batch_dims=1)
add("StridedSlice", "of nothing", input=i([[1, 2], [3, 4]]), begin=i([1]), end=i([0]), strides=i([1]))
add("StridedSlice", "of no strings", input=s("a", "b"), begin=i([2]), end=i([2]), strides=i([1]))
add("LogSoftmax", logits=np.array([[1, 2, -50, 100]], np.float32))
add("LogSoftmax", "of matrices", logits=f(2, 3, 4))
for op in ("Mod", "TruncateMod", "FloorMod", "Div", "TruncateDiv", "FloorDiv"):
    add(op, "of integers of both signs", x=i([-7, -7, 7, 7, 6, -6, 0]), y=i([3, -3, 3, -3, 3, 3, 5]))
add("Mod", "of floats of both signs", x=np.array([-7, -7, 7, 7, 5.5], np.float32), y=np.array([3, -3, 3, -3, -2], np.float32))
for op in ("Prod", "Sum", "Max", "Min"):
    add(op, "of integers, whose axis is kept", input=i([[1, 2], [4, -7]]), axis=i([1]), keep_dims=True)
add("MatMul", "of integers", a=i([[1, 2], [3, 4]]), b=i([[5, 6], [7, 8]]))
add("PadV2", "with NaN", input=np.array([1], np.float32), paddings=i([[1, 0]]), constant_values=np.array(math.nan, np.float32))
add("SpaceToBatchND", "after a pad with NaN", input=f(1, 2, 2, 1), block_shape=i([2, 2]), paddings=i([[0, 0], [2, 0]]))
none = np.zeros((0, 3), np.float32)
add("GatherV2", "from nothing", params=none, indices=i([]), axis=i(0))
add("DepthToSpace", "of nothing", input=np.zeros((0, 2, 2, 4), np.float32), block_size=2)
add("Transpose", "of nothing", x=np.zeros((2, 0, 2, 4), np.float32), perm=i([3, 1, 0, 2]))
add("ScatterNd", "of no rows", indices=i([]).reshape(0, 1), updates=none, shape=i([2, 3]))
add("ScatterNd", "of booleans", indices=i([[1], [0]]), updates=np.array([True, False]), shape=i([3]))
strings = s("a", "b", "c", "d").reshape(2, 2)
add("Transpose", "of strings", x=strings, perm=i([1, 0]))
add("ReverseV2", "of strings", tensor=strings, axis=i([1]))
add("Split", "of strings", axis=i(1), value=strings, num_split=2)
add("Unpack", "of strings", value=strings, num=2)
add("Slice", "of strings", input=strings, begin=i([1, 0]), size=i([1, 2]))
add("MaxPool", "of integers", input=i([[[[1], [2]], [[4], [3]]]]), ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="VALID")

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernel-golden.json")
with open(path, "w") as file:
    file.write('{"tensorflow":%s,"cases":[\n%s\n]}\n' % (json.dumps(tf.__version__), ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)))
print(len(cases), "cases")
