"""What tells photos like the training photos from others, by the rows that they have now."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from penult.finetuning.activations import Tail
from penult.finetuning.feeds import in_batches
from penult.finetuning.inference import infer
from penult.finetuning.network import HeadedNetwork
from penult.likeness import Likeness

if TYPE_CHECKING:
    import torch
    from torch import nn

    from penult.finetuning.evaluation import Evaluation
    from penult.finetuning.photos import Photos
    from penult.finetuning.split import Parts

__all__ = ["likeness_of"]


def likeness_of(
    photos: Photos, parts: Parts, network: HeadedNetwork, evaluation: Evaluation, *, seed: int
) -> Likeness | None:
    """Find it; the training photos are run through the network again if its blocks have learnt.

    Parameters
    ----------
    photos : Photos
    parts : Parts
    network : HeadedNetwork
        As it is written; left on the CPU, in eval mode.
    evaluation : Evaluation
        Of the network: what it is fed with, of which nothing is computed that is there already.
    seed : int

    Returns
    -------
    Likeness or None
        As `Likeness.of` gives it.
    """
    features, numbers, train = photos.features, parts.train, parts.train
    network.eval()
    if network.unfrozen:
        found, kept = [], []
        device = evaluation.processes.device
        network.to(device)
        for rows, fed in evaluation.feed.batches(in_batches(train, evaluation.batch_size)):
            if len(rows):
                found.append(infer(partial(_rows_of, evaluation.model), fed, device))
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


def _rows_of(model: nn.Module, fed: torch.Tensor) -> torch.Tensor:
    if isinstance(model, Tail):
        return model.rows(fed)
    assert isinstance(model, HeadedNetwork)  # as long as a block learns
    rows: torch.Tensor = model.rows(fed)[0]
    return rows
