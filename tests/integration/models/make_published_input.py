#!/usr/bin/env python3
"""Writes published_input.json: how torchvision's ImageClassification transform prepares pictures, and
what its SqueezeNet 1.1 says about the first of them.

    python3 make_published_input.py squeezenet1_1_imagenet.safetensors > published_input.json

Pixel (y, x, c) of a picture is (7 y + 13 x + 50 c + x y // 16) % 256. Kept of each prepared picture: the
values of channel 1 at the pixels (16 i, 16 j), row by row, the mean and the norm of all. Made with torch
2.11.0, torchvision 0.26.0 and pillow, through PIL images, as the published accuracies were measured.
"""

import json
import sys

import numpy as np
from PIL import Image
from safetensors.torch import load_file
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1
from torchvision.transforms import InterpolationMode
from torchvision.transforms._presets import ImageClassification

CASES = [  # height, width, resize, crop, interpolation
    (300, 400, 256, 224, "bilinear"),
    (500, 333, 232, 224, "bilinear"),
    (100, 80, 256, 224, "bicubic"),
    (375, 500, 256, 224, "bicubic"),
    (64, 640, 255, 240, "bilinear"),
    (256, 256, 256, 224, "bilinear"),
]


def picture(height, width):
    y, x, c = np.ogrid[:height, :width, :3]
    return ((7 * y + 13 * x + 50 * c + x * y // 16) % 256).astype(np.uint8)


def prepared(height, width, resize, crop, interpolation):
    transform = ImageClassification(crop_size=crop, resize_size=resize,
                                    interpolation=InterpolationMode(interpolation))
    return transform(Image.fromarray(picture(height, width)))


def summary(case):
    y = prepared(*case).double()
    names = ("height", "width", "resize", "crop", "interpolation")
    return dict(zip(names, case)) | {
        "values": [round(v, 6) for v in y[1, ::16, ::16].flatten().tolist()],
        "mean": float(y.mean()), "l2": float(y.norm())}


def classes(weights):
    model = squeezenet1_1().eval()
    model.load_state_dict(load_file(weights))
    names = SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"]
    top = model(prepared(*CASES[0])[None])[0].double().softmax(0).topk(5)
    return [{"index": i, "name": names[i], "probability": p}
            for p, i in zip(top.values.tolist(), top.indices.tolist())]


lines = ",\n".join(json.dumps(summary(case)) for case in CASES)
print(f'{{"squeezenet1_1": {json.dumps(classes(sys.argv[1]))},\n"pictures": [\n{lines}\n]}}')
