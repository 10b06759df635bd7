"""Time an epoch of fine-tuning against its bound, and against a plain script.

    python benchmarks/finetune.py flowers17 --images 256

The bound is forward + backward + step alone, on one batch that is in memory already: what reading,
changing and counting cost is hidden behind it, or not. The plain script is torchvision's
transforms, a ``DataLoader`` with as many workers as there are cores, and the same network, blocks
and optimiser. Each is timed after a warm-up, penult in its second epoch; all of them take turns,
``--rounds`` times, and what is printed is the median, with the seconds of CPU that an image takes:
these say where the time goes on a machine that is not idle, too.
"""

from __future__ import annotations

import argparse
import copy
import os
import resource
import statistics
import tempfile
import time
from collections import defaultdict
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


def cpu() -> float:
    """Seconds of this process, and of workers that have ended."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in both)


def bound(unfreeze: int, steps: int) -> tuple[float, float]:
    model = network(unfreeze).train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 3e-4)
    images = torch.randint(0, 256, (BATCH, 224, 224, 3), dtype=torch.uint8)
    truth = torch.arange(BATCH) % CLASSES
    step(model, optimizer, images, truth)
    began, used = time.perf_counter(), cpu()
    for _ in range(steps):
        step(model, optimizer, images, truth)
    count = steps * BATCH
    return count / (time.perf_counter() - began), (cpu() - used) / count


def plain(paths: list[Path], unfreeze: int) -> tuple[float, float]:
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
    began, used = time.perf_counter(), cpu()
    for images, truth in loader:
        step(model, optimizer, images, truth)
    speed = len(paths) / (time.perf_counter() - began)
    del loader
    return speed, (cpu() - used) / len(paths)


def ours(folder: Path, unfreeze: int, augment: str) -> tuple[float, float]:
    used = []

    def follow(now: penult.Progress) -> None:
        if "epoch 2 of" in now.stage and now.done in (0, now.total):
            used.append(cpu())

    with tempfile.TemporaryDirectory() as made:
        found = penult.finetune(
            folder, f"{made}/a.ckpt", unfreeze=unfreeze, epochs=2, augment=augment, progress=follow
        )
    return found.epochs[-1].images_per_second, (used[-1] - used[0]) / found.train_images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("flowers", type=Path)
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--unfreeze", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    paths = sorted(asked.flowers.glob("*/*.jpg"))
    chosen = [paths[k] for k in np.linspace(0, len(paths) - 1, asked.images).astype(int)]
    with tempfile.TemporaryDirectory() as made:
        for path in chosen:
            (Path(made) / path.parent.name).mkdir(exist_ok=True)
            (Path(made) / path.parent.name / path.name).symlink_to(path)
        ways = {
            "bound: forward, backward, step alone": lambda: bound(
                asked.unfreeze, max(2, asked.images // BATCH // 2)
            ),
            "penult, augment light": lambda: ours(Path(made), asked.unfreeze, "light"),
            "plain torchvision + DataLoader": lambda: plain(chosen, asked.unfreeze),
            "penult, augment none": lambda: ours(Path(made), asked.unfreeze, "none"),
        }
        found = defaultdict(list)
        for _ in range(asked.rounds):
            for name, way in ways.items():
                found[name].append(way())
        limits = [speed for speed, _ in next(iter(found.values()))]
    for name, both in found.items():
        speeds, used = zip(*both, strict=True)
        share = statistics.median(one / limit for one, limit in zip(speeds, limits, strict=True))
        speed, cost = statistics.median(speeds), 1000 * statistics.median(used)
        print(f"{name}: {speed:.1f} images/s, {share:.0%} of the bound; {cost:.1f} ms of CPU each")


if __name__ == "__main__":
    main()
