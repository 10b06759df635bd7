"""A fine-tuning from photos to the checkpoint's folder."""

from __future__ import annotations

import copy
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from penult.backbones.checkpoint import architecture_of
from penult.classify.evaluation.seen import content_keys
from penult.classify.training.multilabel import best_thresholds
from penult.comparison.differences import find_differences
from penult.engines.row_network import RowNetwork
from penult.errors import ResumeError, UsageError
from penult.finetuning.activations import Tail, keep_activations
from penult.finetuning.blocks import Block, find_blocks
from penult.finetuning.calibration import fit_temperature, mean_loss, probabilities
from penult.finetuning.checkpoint_folder import check_folder, write_checkpoint
from penult.finetuning.device import open_accelerator
from penult.finetuning.feeds import ArrayFeed, Feed, PixelFeed
from penult.finetuning.finetuned_model import FinetunedModel
from penult.finetuning.head import Head
from penult.finetuning.heads import hidden_head, linear_head
from penult.finetuning.likeness import likeness_of
from penult.finetuning.loop import Training, TrainingResult
from penult.finetuning.losses import Loss, loss_weights
from penult.finetuning.network import HeadedNetwork
from penult.finetuning.parameter_groups import parameter_groups
from penult.finetuning.pixels import PixelReader
from penult.finetuning.probe import Probe, solve_probe
from penult.finetuning.run_folder import RunFolder
from penult.finetuning.scoring import Scored, score_logits
from penult.finetuning.split import Parts, divide
from penult.finetuning.state import load_state, save_state
from penult.finetuning.training_log import TrainingLog, require_tensorboard
from penult.finetuning.verdict import verdict
from penult.finetuning.wise_ft import best_share, between
from penult.images.pixels.augment import Augmentation
from penult.interface import option
from penult.machine import free_memory
from penult.progress import announce
from penult.records import Finetuned, ModelDifference, Progress
from penult.wording import count, listed

if TYPE_CHECKING:
    from accelerate import Accelerator
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.finetuning.options import FinetuneOptions
    from penult.finetuning.photos import Photos, PhotoSource
    from penult.progress import Tell
    from penult.recipe import Precision

__all__ = ["FinetuneRun"]

_MEMORY = 4  # a quarter of what is free is taken for pixels, or for activations


@dataclass(frozen=True, kw_only=True)
class FinetuneRun:
    """All that is asked of a fine-tuning.

    Attributes
    ----------
    source : PhotoSource
    output : Path
        The checkpoint's folder.
    options : FinetuneOptions
    precision : {"float32", "bfloat16"}
    tensorboard : str, Path or None
        Where logs for TensorBoard are written.
    resume, restart, overwrite : bool
    """

    source: PhotoSource
    output: Path
    options: FinetuneOptions
    precision: Precision = "float32"
    tensorboard: str | Path | None = None
    resume: bool = False
    restart: bool = False
    overwrite: bool = False

    def run(self, tell: Tell) -> Finetuned:
        """Fine-tune; see `penult.finetune`."""
        check_folder(self.output, overwrite=self.overwrite)
        require_tensorboard(self.tensorboard)
        backbone = self.source.open_backbone()
        if "torch" not in backbone.metadata.forms:
            raise UsageError(
                f"{backbone.described} cannot be trained: it is there as a finished graph alone; "
                f"give the network that it was made of"
            )
        architecture = architecture_of(backbone)
        accelerator = open_accelerator(self.source.device)
        folder = RunFolder(
            self.output,
            {
                "model": backbone.name,
                "weights": backbone.weights.sha256,
                "precision": self.precision,
                **self.options.to_dict(),
            },
            resume=self.resume,
            restart=self.restart,
        )
        done = False
        try:
            with TrainingLog(self.tensorboard) as log:
                work = _Work(self, backbone, architecture, accelerator, folder, tell, log)
                finetuned = work.run()
            done = True
        finally:
            folder.release(done=done)
        return finetuned


@dataclass(eq=False)
class _Work:
    """One run's way, with what it has found so far."""

    asked: FinetuneRun
    backbone: Backbone
    architecture: str
    accelerator: Accelerator
    folder: RunFolder
    tell: Tell
    log: TrainingLog

    def run(self) -> Finetuned:
        options = self.asked.options
        began = time.perf_counter()
        self.photos: Photos = self.asked.source.read(self.folder.rows, leave_out=self.asked.output)
        self.names = tuple(map(str, self.photos.features.label_names))
        self.truth = self.photos.truth
        self.parts: Parts = divide(self.photos.features, options)
        self._tell_unscored()
        announce("solving the probe", brief=True)
        start, probe = self._probes()
        self.folder.spent(time.perf_counter() - began)
        probe_seconds = self.folder.seconds
        began = time.perf_counter()
        earlier = self._earlier()
        # What earlier runs took for the epochs that this one takes over.
        stages = earlier["stages"].values()
        before = sum(epoch["seconds"] for stage in stages for epoch in stage["epochs"])
        self.reader = self._reader()
        network = self._network(start)
        result, training = self._train(network, earlier)
        share = self._average(network, training, result) if options.wise_ft else None
        validated, v_logits = training.logits(self.parts.validation)
        temperature = fit_temperature(v_logits, self.truth[validated])
        thresholds = None
        if self.several:
            likely = probabilities(v_logits, several=True, temperature=temperature)
            thresholds = best_thresholds(self.truth[validated], likely)
        tested, t_logits = training.logits(self.parts.test)
        held = {"temperature": temperature, "thresholds": thresholds}
        scored = self._scored(tested, t_logits, split=self.parts.description, **held)
        validation = self._scored(validated, v_logits, split="the validation part", **held)
        probed = self._probed(start, probe, tested)
        difference = self._difference(scored, probed, tested)
        seconds = {
            "probe": probe_seconds,
            "finetune": probe_seconds + before + time.perf_counter() - began,
        }
        failures = (*self.photos.features.failures, *self.reader.failures.values())
        finetuned = Finetuned(
            output=str(self.asked.output),
            model=self.backbone.name,
            label_names=self.names,
            scores=scored.scores,
            held_out=scored.held_out,
            validation=validation.scores,
            probe=probed.scores,
            difference=difference,
            seconds=seconds,
            epochs=result.epochs,
            best_epoch=result.best,
            unfrozen=tuple(block.name for block in network.unfrozen),
            parameters=sum(one.numel() for one in network.parameters() if one.requires_grad),
            temperature=temperature,
            calibration=scored.calibration,
            wise_ft=share,
            train_images=len(self.parts.train),
            validation_images=len(self.parts.validation),
            left_out=self._left_out(),
            failures=failures,
            options=options.to_dict(),
            stopped=result.stopped,
            verdict=verdict(
                difference, seconds=seconds["finetune"], probe_seconds=seconds["probe"]
            ),
        )
        announce("writing the checkpoint", brief=True)
        self._write(network, finetuned, thresholds)
        return finetuned

    @property
    def several(self) -> bool:
        """Whether a photo may have several labels."""
        return self.truth.ndim == 2

    def _probes(self) -> tuple[Probe, Probe]:
        """The probe to start from, and the one to compare with, which has seen more photos."""
        rows, parts, weight = self.photos.rows, self.parts, self.asked.options.class_weight
        start = solve_probe(
            rows[parts.train],
            self.truth[parts.train],
            classes=len(self.names),
            validation=(rows[parts.validation], self.truth[parts.validation]),
            class_weight=weight,
        )
        both = np.union1d(parts.train, parts.validation)
        compared = solve_probe(
            rows[both],
            self.truth[both],
            classes=len(self.names),
            class_weight=weight,
            strengths=(start.strength,),
        )
        return start, compared

    def _earlier(self) -> dict[str, Any]:
        """What an interrupted training kept, if it was of the same photos."""
        digest = self.photos.digest(self.parts)
        earlier = load_state(self.folder.training)
        if earlier is not None and earlier["photos"] != digest:
            raise ResumeError(
                f"the photos, or their labels, are not those of the interrupted run in "
                f"{self.asked.output}; give {option('restart', True)} to begin anew"
            )
        return earlier or {"photos": digest, "stages": {}}

    def _reader(self) -> PixelReader:
        policy = self.asked.options.policy
        return PixelReader(
            records=self.photos.records,
            preprocessing=self.backbone.preprocessing,
            reading=self.asked.source.reading,
            augmentation=None if policy is None else Augmentation(policy, self.asked.options.seed),
            memory=free_memory() // _MEMORY,
        )

    def _network(self, start: Probe) -> HeadedNetwork:
        """The network that is trained, a copy, with the head that it starts with."""
        options = self.asked.options
        rows = copy.deepcopy(RowNetwork(self.backbone, [self.backbone.recipe()]))
        rows.to(memory_format=torch.channels_last)
        width = self.photos.rows.shape[1]
        head: torch.nn.Module = linear_head(start.weights)
        if options.hidden:
            head = hidden_head(width, options.hidden, len(self.names), seed=options.seed)
        unfrozen: tuple[Block, ...] = ()
        self.frozen: tuple[Block, ...] = ()
        if options.blocks != 0:
            blocks = find_blocks(rows, self.backbone.preprocessing.input_size)
            learn = len(blocks) if options.blocks is None else options.blocks
            if not blocks:
                raise UsageError(
                    f"{self.backbone.described} has no weights before its row; give "
                    f"{option('unfreeze', 'none')}"
                )
            if learn > len(blocks):
                raise UsageError(
                    f"{option('unfreeze', options.unfreeze)} was given, and "
                    f"{self.backbone.described} has {count(len(blocks), 'block')}; give "
                    f"{option('unfreeze', 'all')}"
                )
            self.frozen, unfrozen = blocks[: len(blocks) - learn], blocks[len(blocks) - learn :]
        return HeadedNetwork(rows, head, unfrozen, fixed_statistics=options.batch_norm == "fixed")

    def _train(
        self, network: HeadedNetwork, earlier: dict[str, Any]
    ) -> tuple[TrainingResult, Training]:
        """Train the head alone where it is new, then it and the unfrozen blocks."""
        options = self.asked.options
        on_rows = network.unfrozen == () and options.policy is None
        if options.hidden or on_rows:
            training = self._training(
                "head",
                network,
                network.head,
                ArrayFeed(self.photos.rows),
                parameter_groups(network, options, ()),
            )
            result = self._stage("head", training, earlier)
            if on_rows:
                return result, training
        model, feed, changed = self._fed(network)
        groups = parameter_groups(network, options, network.unfrozen)
        training = self._training("fine-tuning", network, model, feed, groups)
        training.changed = changed
        return self._stage("fine-tuning", training, earlier), training

    def _fed(self, network: HeadedNetwork) -> tuple[torch.nn.Module, Feed, bool]:
        """What is trained, and with what: pixels, or what the frozen blocks make of them."""
        pixels = PixelFeed(self.reader)
        if self.asked.options.policy is not None:
            return network, pixels, True
        if not self.frozen:
            return network, pixels, False
        rows = np.concatenate([self.parts.train, self.parts.validation, self.parts.test])
        rows.sort()
        network.to(self.accelerator.device)
        tail = Tail(network, self.frozen)

        def step(done: int) -> None:
            self.tell(Progress(done, len(rows), len(self.reader.failures), stage="frozen blocks"))

        kept = keep_activations(
            tail,
            pixels,
            rows,
            batch_size=self.asked.options.train_batch_size,
            device=self.accelerator.device,
            memory=free_memory() // _MEMORY,
            folder=self.folder.path,
            step=step,
        )
        return (network, pixels, False) if kept is None else (tail, kept, False)

    def _training(
        self,
        stage: str,
        network: HeadedNetwork,
        model: torch.nn.Module,
        feed: Feed,
        groups: list[dict[str, Any]],
    ) -> Training:
        options = self.asked.options
        return Training(
            network=network,
            model=model,
            feed=feed,
            train=self.parts.train,
            validation=self.parts.validation,
            truth=self.truth,
            groups=groups,
            loss=Loss(
                smoothing=options.label_smoothing,
                weights=loss_weights(
                    self.truth[self.parts.train], len(self.names), options.class_weight
                ),
            ),
            epochs=options.epochs,
            patience=options.patience,
            batch_size=options.train_batch_size,
            seed=options.seed,
            accelerator=self.accelerator,
            precision=self.asked.precision,
            stage=stage,
            tell=self.tell,
            on_epoch=lambda epochs: self.log(stage, epochs),
        )

    def _stage(self, stage: str, training: Training, earlier: dict[str, Any]) -> TrainingResult:
        """Run one training; what it keeps lies beside what others before it kept."""
        training.keep = lambda state: self._keep(earlier, stage, state)
        training.earlier = earlier["stages"].get(stage)
        return training.run()

    def _keep(self, earlier: dict[str, Any], stage: str, state: dict[str, Any]) -> None:
        earlier["stages"][stage] = state
        save_state(self.folder.training, earlier)

    def _average(self, network: HeadedNetwork, training: Training, result: TrainingResult) -> float:
        """Average the weights with the start's, as far as the validation photos are for it."""

        def loss(share: float) -> float:
            network.load_learned(between(result.start, result.learned, share))
            rows, logits = training.logits(self.parts.validation)
            truth = self.truth[rows]
            return mean_loss(logits, truth, temperature=fit_temperature(logits, truth))

        share = best_share(loss)
        network.load_learned(between(result.start, result.learned, share))
        return share

    def _scored(
        self, rows: NDArray[np.int64], logits: NDArray[np.floating[Any]], **options: Any
    ) -> Scored:
        return score_logits(
            logits,
            self.truth[rows],
            ids=[str(self.photos.features.ids[k]) for k in rows],
            label_names=self.names,
            **options,
        )

    def _probed(self, start: Probe, probe: Probe, tested: NDArray[np.int64]) -> Scored:
        thresholds = None
        if self.several:
            # By the probe that has not seen them: one that has is too sure of them.
            rows = self.parts.validation
            likely = probabilities(start.logits(self.photos.rows[rows]), several=True)
            thresholds = best_thresholds(self.truth[rows], likely)
        return self._scored(
            tested,
            probe.logits(self.photos.rows[tested]),
            split=self.parts.description,
            thresholds=thresholds,
        )

    def _difference(
        self, scored: Scored, probed: Scored, tested: NDArray[np.int64]
    ) -> ModelDifference | None:
        found = find_differences(
            {"fine-tuned": scored.right[None], "probe": probed.right[None]},
            self.parts.units[tested],
            score="accuracy",
            seed=self.asked.options.seed,
        )
        return found[0] if found else None

    def _tell_unscored(self) -> None:
        if self.parts.only_train:
            logging.getLogger("penult").warning(
                "penult: %s of too few photos to be divided into three parts (%s): all of them "
                "train, and none is scored",
                count(len(self.parts.only_train), "class"),
                listed(self.parts.only_train, 5),
            )

    def _left_out(self) -> dict[str, int]:
        used = len(self.parts.train) + len(self.parts.validation) + len(self.parts.test)
        rest = len(self.photos.features) - used
        return (
            {"without a label, in no split, or copies of photos in another part": rest}
            if rest
            else {}
        )

    def _write(
        self, network: HeadedNetwork, finetuned: Finetuned, thresholds: tuple[float, ...] | None
    ) -> None:
        network.to("cpu").eval()
        train = self.parts.train
        classes = self.truth[train]
        counts = (
            classes.sum(axis=0) if self.several else np.bincount(classes, minlength=len(self.names))
        )
        write_checkpoint(
            self.asked.output,
            network.inner.to(memory_format=torch.contiguous_format),
            FinetunedModel(
                architecture=self.architecture,
                preprocessing=self.backbone.preprocessing,
                head=Head.of(
                    network.head,
                    self.names,
                    thresholds=thresholds,
                    temperature=finetuned.temperature,
                ),
                options={
                    name: value
                    for name, value in finetuned.options.items()
                    if name != "seed" and value is not None and value is not False
                },
                summary=finetuned.to_dict(),
                scores=finetuned.scores,
                held_out=finetuned.held_out,
                train_images=finetuned.train_images,
                validation_images=finetuned.validation_images,
                classes=dict(zip(self.names, map(int, counts), strict=True)),
                left_out=finetuned.left_out,
                seed=self.asked.options.seed,
                data=", ".join(map(str, self.photos.features.origin.get("sources", ()))),
                verdict=finetuned.verdict,
                likeness=likeness_of(
                    self.photos,
                    self.parts,
                    network,
                    PixelFeed(self.reader),
                    device=self.accelerator.device,
                    batch_size=self.asked.options.train_batch_size,
                    seed=self.asked.options.seed,
                ),
                # Those that chose among the epochs are no new photos, either.
                trained_on=content_keys(
                    self.photos.features, np.union1d(train, self.parts.validation)
                ),
            ),
            overwrite=self.asked.overwrite,
        )
