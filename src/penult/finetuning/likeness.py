"""What tells photos like the training photos from others, by the rows that they have now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from penult.classify.likeness import Likeness
from penult.finetuning.feeds import Feed, in_batches
from penult.finetuning.inference import infer

if TYPE_CHECKING:
    import torch

    from penult.finetuning.network import HeadedNetwork
    from penult.finetuning.photos import Photos
    from penult.finetuning.split import Parts

__all__ = ["likeness_of"]


def likeness_of(
    photos: Photos,
    parts: Parts,
    network: HeadedNetwork,
    feed: Feed,
    *,
    device: torch.device,
    batch_size: int,
    seed: int,
) -> Likeness | None:
    """Find it; the training photos are run through the network again if its blocks have learnt.

    Parameters
    ----------
    photos : Photos
    parts : Parts
    network : HeadedNetwork
        As it is written; left on the CPU, in eval mode.
    feed : Feed
        Of pixels.
    device : torch.device
        Where the network is run.
    batch_size, seed : int

    Returns
    -------
    Likeness or None
        As `Likeness.of` gives it.
    """
    features, numbers, train = photos.features, parts.train, parts.train
    network.eval()
    if network.unfrozen:
        found, kept = [], []
        network.to(device)
        for rows, pixels in feed.batches(in_batches(train, batch_size)):
            if len(rows):
                found.append(infer(lambda images: network.rows(images)[0], pixels, device))
                kept.append(rows)
        if not found:  # none can be read any more
            network.to("cpu")
            return None
        train = np.concatenate(kept)
        features = replace(features.take(train), features=np.concatenate(found))
        numbers = np.arange(len(train))
    network.to("cpu")
    units = parts.units[train].astype(str)
    return Likeness.of(features, numbers, photos.truth[train], units, seed=seed)
