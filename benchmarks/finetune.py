"""Time an epoch of fine-tuning against its bound, and against a plain script.

    python benchmarks/finetune.py flowers17 --images 256

The bound is forward + backward + step alone, on one batch that is in memory already: what reading,
changing and counting cost is hidden behind it, or not. The plain script is torchvision's
transforms, a ``DataLoader`` with as many workers as there are cores, and the same network, blocks
and optimiser. All in one process, one after the other, each after a warm-up.
"""

from __future__ import annotations

import argparse
import copy
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import penult
from penult.backbones.registry import open_backbone
from penult.engines.row_network import RowNetwork
from penult.finetuning.blocks import find_blocks
from penult.finetuning.network import HeadedNetwork

CLASSES, BATCH = 17, 32


def network(unfreeze: int) -> HeadedNetwork:
    backbone = open_backbone("efficientnet_lite0")
    rows = copy.deepcopy(RowNetwork(backbone, [backbone.recipe()]))
    rows.to(memory_format=torch.channels_last)
    blocks = find_blocks(rows, backbone.preprocessing.input_size)[-unfreeze:]
    return HeadedNetwork(rows, nn.Linear(1280, CLASSES), blocks, fixed_statistics=True)


def step(model, optimizer, images, truth) -> None:
    optimizer.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(model(images), truth, label_smoothing=0.1).backward()
    nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()


def bound(unfreeze: int, steps: int) -> float:
    model = network(unfreeze).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 3e-4)
    images = torch.randint(0, 256, (BATCH, 224, 224, 3), dtype=torch.uint8)
    truth = torch.arange(BATCH) % CLASSES
    step(model, optimizer, images, truth)
    began = time.perf_counter()
    for _ in range(steps):
        step(model, optimizer, images, truth)
    return steps * BATCH / (time.perf_counter() - began)


def plain(paths: list[Path], unfreeze: int) -> float:
    from PIL import Image
    from torchvision.transforms import v2

    change = v2.Compose(
        [
            v2.RandomResizedCrop(224, (0.7, 1.0), (0.9, 1.1)),
            v2.RandomHorizontalFlip(),
            v2.RandomRotation(10),
            v2.ColorJitter(0.2, 0.2, 0.2),
            v2.PILToTensor(),
        ]
    )

    class Photos(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, k: int):
            return change(Image.open(paths[k]).convert("RGB")).permute(1, 2, 0), k % CLASSES

    model = network(unfreeze).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 3e-4)
    loader = torch.utils.data.DataLoader(
        Photos(), BATCH, shuffle=True, num_workers=len(os.sched_getaffinity(0))
    )
    step(model, optimizer, *next(iter(loader)))
    began = time.perf_counter()
    for images, truth in loader:
        step(model, optimizer, images, truth)
    return len(paths) / (time.perf_counter() - began)


def ours(folder: Path, unfreeze: int, augment: str) -> float:
    with tempfile.TemporaryDirectory() as made:
        found = penult.finetune(
            folder, f"{made}/a.ckpt", unfreeze=unfreeze, epochs=2, augment=augment, progress=False
        )
    return found.epochs[-1].images_per_second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flowers", type=Path)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--unfreeze", type=int, default=4)
    asked = parser.parse_args()
    paths = sorted(asked.flowers.glob("*/*.jpg"))
    chosen = [paths[k] for k in np.linspace(0, len(paths) - 1, asked.images).astype(int)]
    with tempfile.TemporaryDirectory() as made:
        for path in chosen:
            (Path(made) / path.parent.name).mkdir(exist_ok=True)
            (Path(made) / path.parent.name / path.name).symlink_to(path)
        limit = bound(asked.unfreeze, max(2, asked.images // BATCH // 2))
        print(f"bound: forward, backward, step alone: {limit:.1f} images/s")
        for augment in ("light", "none"):
            speed = ours(Path(made), asked.unfreeze, augment)
            print(f"penult, augment {augment}: {speed:.1f} images/s ({speed / limit:.0%} of it)")
        speed = plain(chosen, asked.unfreeze)
        print(f"plain torchvision + DataLoader: {speed:.1f} images/s ({speed / limit:.0%} of it)")


if __name__ == "__main__":
    main()
