#!/usr/bin/env python3
"""Forward passes in OpenVINO or ONNX Runtime, as tools/peers/compare starts them. Prints one JSON
object."""

import argparse
import json
import time

import numpy


def openvino(o, images):
    import openvino
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(o.network), "CPU", {
        "INFERENCE_PRECISION_HINT": "bf16" if o.precision == "bf16" else "f32",
        "INFERENCE_NUM_THREADS": o.threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"})
    request = compiled.create_infer_request()
    request.set_input_tensor(openvino.Tensor(images))
    return request.infer, f"openvino {openvino.__version__.split('-')[0]}"


def onnxruntime(o, images):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = o.threads
    session = onnxruntime.InferenceSession(o.network, settings, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: images}), f"onnxruntime {onnxruntime.__version__}"


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--runtime", choices=["openvino", "onnxruntime"], required=True)
    options.add_argument("--network", required=True, help="an ONNX file for this batch size")
    options.add_argument("--precision", choices=["fp32", "bf16"], required=True)
    options.add_argument("--batch-size", type=int, required=True)
    options.add_argument("--image-size", type=int, default=224)
    options.add_argument("--threads", type=int, required=True)
    options.add_argument("--steps", type=int, default=5)
    o = options.parse_args()
    shape = (o.batch_size, 3, o.image_size, o.image_size)
    images = numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)
    step, version = (openvino if o.runtime == "openvino" else onnxruntime)(o, images)
    for _ in range(3):
        step()
    times = []
    for _ in range(o.steps):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"step_ms": times, "version": version}))


if __name__ == "__main__":
    main()
