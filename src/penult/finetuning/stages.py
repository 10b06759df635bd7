"""The stages of a training: the head alone where it is new, then it and the unfrozen blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from penult.finetuning.activations import Tail, keep_activations
from penult.finetuning.array_store import ArrayStore
from penult.finetuning.feeds import ArrayFeed, Feed, PixelFeed
from penult.finetuning.loop import Training
from penult.finetuning.losses import Loss, loss_weights
from penult.finetuning.parameter_groups import parameter_groups
from penult.records import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penult.finetuning.blocks import Block
    from penult.finetuning.evaluation import Evaluation
    from penult.finetuning.history import History
    from penult.finetuning.network import HeadedNetwork
    from penult.finetuning.options import FinetuneOptions
    from penult.finetuning.photos import Photos
    from penult.finetuning.pixels import PixelReader
    from penult.finetuning.processes import Processes
    from penult.finetuning.split import Parts
    from penult.finetuning.state import TrainingState
    from penult.finetuning.training_log import TrainingLog
    from penult.progress import Tell
    from penult.recipe import Precision
    from penult.records import FinetuneEpoch

__all__ = ["Stages"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stages:
    """What the stages of one training share.

    Attributes
    ----------
    options : FinetuneOptions
    precision : {"float32", "bfloat16"}
    network : HeadedNetwork
        What is trained.
    photos : Photos
    parts : Parts
    reader : PixelReader
    processes : Processes
    state : TrainingState
        What each keeps.
    folder : Path
        Where activations may be kept.
    log : TrainingLog
    tell : callable
    """

    options: FinetuneOptions
    precision: Precision
    network: HeadedNetwork
    photos: Photos
    parts: Parts
    reader: PixelReader
    processes: Processes
    state: TrainingState
    folder: Path
    log: TrainingLog
    tell: Tell

    def run(self) -> tuple[History, Evaluation]:
        """Train; give what the last stage came to, and what its network is evaluated by."""
        network, changed = self.network, self.options.policy is not None
        on_rows = network.unfrozen == () and not changed
        before: list[FinetuneEpoch] = []
        if self.options.hidden or on_rows:
            feed = ArrayFeed(self.photos.rows)
            found = self._stage("head", network.head, feed, (), changed=False)
            if on_rows:
                return found
            before = found[0].epochs
        model, fed = self._fed()
        history, evaluation = self._stage(
            "fine-tuning", model, fed, network.unfrozen, changed=changed
        )
        history.before = before
        return history, evaluation

    def _stage(
        self,
        name: str,
        model: torch.nn.Module,
        feed: Feed,
        blocks: Sequence[Block],
        *,
        changed: bool,
    ) -> tuple[History, Evaluation]:
        options, truth = self.options, self.photos.truth
        training = Training(
            network=self.network,
            model=model,
            feed=feed,
            train=self.parts.train,
            validation=self.parts.validation,
            truth=truth,
            groups=parameter_groups(self.network, options, blocks),
            loss=Loss(
                smoothing=options.label_smoothing,
                weights=loss_weights(
                    truth[self.parts.train], len(self.photos.names), options.class_weight
                ),
            ),
            epochs=options.epochs,
            patience=options.patience,
            batch_size=options.train_batch_size,
            seed=options.seed,
            processes=self.processes,
            precision=self.precision,
            stage=name,
            tell=self.tell,
            changed=changed,
            keep=lambda state: self.state.keep(name, state),
            earlier=self.processes.share(lambda: self.state.stage(name)),
            on_epoch=lambda epochs: self.log(name, epochs),
        )
        return training.run(), training.evaluation

    def _fed(self) -> tuple[torch.nn.Module, Feed]:
        """What is trained, and with what: pixels, or what the frozen blocks make of them."""
        network = self.network
        if self.options.policy is not None or not network.frozen:
            return network, PixelFeed(self.reader)
        rows = np.concatenate([self.parts.train, self.parts.validation, self.parts.test])
        rows.sort()
        network.to(self.processes.device)
        tail = Tail(network, network.frozen)

        def step(done: int) -> None:
            self.tell(Progress(done, len(rows), len(self.reader.failures), stage="frozen blocks"))

        kept = keep_activations(
            tail,
            # Once there are activations, nobody asks for pixels.
            PixelFeed(replace(self.reader, store=None)),
            rows,
            batch_size=self.options.train_batch_size,
            processes=self.processes,
            store=ArrayStore(self.folder, sharers=self.processes.neighbours),
            step=step,
        )
        return (network, PixelFeed(self.reader)) if kept is None else (tail, kept)
