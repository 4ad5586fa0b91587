#!/usr/bin/env python3
"""Training steps in Lightning, as tools/peers/compare starts them: torch_steps.py's network, batch and
optimizer in a Trainer without logger and checkpoints, channels-last, bf16-mixed. Prints one JSON object.
"""

import argparse
import json
import time
import warnings

import lightning
import torch
import torchvision


class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.network = torchvision.models.densenet201(weights=None, num_classes=2).to(
            memory_format=torch.channels_last)
        self.begun, self.times = None, []

    def training_step(self, batch, _):
        images, targets = batch
        return torch.nn.functional.cross_entropy(self.network(images).float(), targets)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-4, fused=True)

    def on_train_batch_end(self, *_):  # from one end to the next: a whole turn of Lightning's loop
        now = time.perf_counter()
        if self.begun is not None:
            self.times.append((now - self.begun) * 1e3)
        self.begun = now


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--batch-size", type=int, default=16)
    options.add_argument("--threads", type=int, required=True)
    options.add_argument("--steps", type=int, default=5)
    o = options.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(o.threads)
    torch.manual_seed(1)
    warm_up = 3
    images = torch.randn(o.batch_size, 3, 224, 224).contiguous(memory_format=torch.channels_last)
    batch = (images, torch.arange(o.batch_size) % 2)
    module = Module()
    trainer = lightning.Trainer(
        accelerator="cpu", precision="bf16-mixed", max_steps=warm_up + o.steps, max_epochs=1, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(module, torch.utils.data.DataLoader([batch] * (warm_up + o.steps), batch_size=None))
    print(json.dumps({"step_ms": module.times[-o.steps:],
                      "version": f"lightning {lightning.__version__}, torch {torch.__version__}"}))


if __name__ == "__main__":
    main()
