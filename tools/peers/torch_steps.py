#!/usr/bin/env python3
"""Training steps or forward passes in PyTorch, as tools/peers/compare starts them.

At its best: channels-last, a resident batch, the fused Adam, the weight cache off where it
costs nothing; malloc's thresholds come with the environment. Prints one JSON object.
"""

import argparse
import json
import time

import torch


def network(name, source):
    if source == "timm":
        import timm
        return timm.create_model(name, num_classes=2), f"timm {timm.__version__}"
    import torchvision
    return (torchvision.models.get_model(name, weights=None, num_classes=2),
            f"torchvision {torchvision.__version__}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--task", choices=["train", "infer"], required=True)
    options.add_argument("--backbone", default="densenet201")
    options.add_argument("--source", choices=["torchvision", "timm"], default="torchvision")
    options.add_argument("--precision", choices=["fp32", "bf16"], required=True)
    options.add_argument("--compile", action="store_true")
    options.add_argument("--compile-mode", default="default",
                         choices=["default", "reduce-overhead", "max-autotune"])
    options.add_argument("--device", default="cpu", help="cpu or cuda")
    options.add_argument("--batch-size", type=int, default=16)
    options.add_argument("--image-size", type=int, default=224)
    options.add_argument("--threads", type=int, required=True)
    options.add_argument("--steps", type=int, default=5)
    options.add_argument("--export", help="write the network as ONNX to this file and end")
    o = options.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    model, origin = network(o.backbone, o.source)
    images = torch.randn(o.batch_size, 3, o.image_size, o.image_size)
    if o.export:
        torch.onnx.export(model.eval(), images, o.export, dynamo=False, opset_version=17)
        return
    torch.backends.cudnn.benchmark = True
    model = model.to(o.device, memory_format=torch.channels_last)
    images = images.to(o.device, memory_format=torch.channels_last)
    targets = torch.arange(o.batch_size, device=o.device) % 2
    lower = torch.autocast(o.device, torch.bfloat16, enabled=o.precision == "bf16")
    model.train(o.task == "train")
    if o.task == "infer" and o.precision == "bf16":
        model, images = model.to(torch.bfloat16), images.to(torch.bfloat16)
        lower = torch.autocast(o.device, enabled=False)
    run = torch.compile(model, mode=o.compile_mode) if o.compile else model
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def train():
        with lower:
            loss = torch.nn.functional.cross_entropy(run(images).float(), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    @torch.inference_mode()
    def infer():
        with lower:
            run(images)

    work = train if o.task == "train" else infer

    def step():
        work()
        if o.device != "cpu":
            torch.cuda.synchronize()

    for _ in range(3 if o.device == "cpu" else 10):
        step()
    times = []
    for _ in range(o.steps):
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"step_ms": times, "version": f"torch {torch.__version__}, {origin}"}))


if __name__ == "__main__":
    main()
