#!/usr/bin/env python3
"""Writes logits.json: what the published classifiers of torchvision and timm say on filled weights.

    python3 make_logits.py ../../../../shared/parity > logits.json

The argument is the folder of fill.py (the rule that fills weights) and backbones/ (the networks'
names). Model and input are filled, computed in float64 in evaluation mode; kept are the first eight
logits of the first image and the norm of all; "vit_b_16 at 96" are tokens. A matrix of more than 10 million values is the sum of
a filled row, called `NAME#row`, and a filled column, `NAME#column`: that is cheap, and a wrong order
of the inputs still shows. Made with torch 2.11.0, torchvision 0.26.0 and timm 1.0.31.
"""

import json
import pathlib
import sys

import torch

folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder))
from fill import fill, model_input  # noqa: E402


def filled(name, shape):
    if len(shape) == 2 and shape[0] * shape[1] > 10_000_000:
        row = fill(name + "#row", (1, shape[1]))
        return torch.from_numpy(row + fill(name + "#column", (shape[0], 1)) / shape[1])
    return torch.from_numpy(fill(name, tuple(shape)))


def filled_state(model):
    state = model.state_dict()
    for key, value in state.items():
        if value.is_floating_point():
            state[key] = filled(key, value.shape)
    return state


def first_and_norm(values):
    flat = values.flatten()[:8].tolist()
    return {"first": [float(f"{v:.9g}") for v in flat], "l2": float(values.norm())}


def logits(name, side):
    if name.startswith("tf_"):
        import timm

        model = timm.create_model(name, pretrained=False)
    else:
        import torchvision

        model = torchvision.models.get_model(name, weights=None)
    model.load_state_dict(filled_state(model))
    with torch.no_grad():
        return model.double().eval()(torch.from_numpy(model_input(side)).double())


def vit_tokens(side):
    """vit_b_16's tokens on another size than 224, through torchvision's interpolate_embeddings()."""
    from torchvision.models import vit_b_16
    from torchvision.models.vision_transformer import interpolate_embeddings

    state = filled_state(vit_b_16())
    state["encoder.pos_embedding"] = state["encoder.pos_embedding"].double()
    model = vit_b_16(image_size=side).double()
    model.load_state_dict(interpolate_embeddings(side, 16, state))
    model.eval()
    with torch.no_grad():
        x = model._process_input(torch.from_numpy(model_input(side)).double())
        token = model.class_token.expand(x.shape[0], -1, -1)
        return model.encoder(torch.cat([token, x], 1))


if __name__ == "__main__":
    torch.set_num_threads(1)
    result = {}
    for path in sorted((folder / "backbones").glob("*.json")):
        side = json.loads(path.read_text())["side"]
        result[path.stem] = first_and_norm(logits(path.stem, side))
        print(path.stem, result[path.stem]["l2"], file=sys.stderr, flush=True)
    result["vit_b_16 at 96"] = first_and_norm(vit_tokens(96))
    print(json.dumps(result, indent=1))
