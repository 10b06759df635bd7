"""A fine-tuning from photos to the checkpoint's folder."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from penult.backbones.checkpoint import architecture_of
from penult.backbones.registry import DEFAULT_MODEL
from penult.backbones.training_images import training_images
from penult.classify.evaluation.seen import content_keys
from penult.errors import UsageError
from penult.finetuning.array_store import ArrayStore
from penult.finetuning.assessment import Assessment
from penult.finetuning.checkpoint_folder import check_folder, write_checkpoint
from penult.finetuning.device import open_processes
from penult.finetuning.feeds import PixelFeed
from penult.finetuning.finetuned_model import FinetunedModel
from penult.finetuning.head import Head
from penult.finetuning.likeness import likeness_of
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.part_table import part_rows
from penult.finetuning.pixels import PixelReader
from penult.finetuning.probes import Probes
from penult.finetuning.run_folder import RunFolder
from penult.finetuning.split import divide
from penult.finetuning.stages import Stages
from penult.finetuning.start import divide_blocks, require_trainable, starting_network
from penult.finetuning.state import TrainingState
from penult.finetuning.training_log import TrainingLog, require_tensorboard
from penult.finetuning.training_photos import TrainingPhotos
from penult.finetuning.verdict import verdict
from penult.finetuning.wise_ft import average_weights
from penult.images.pixels.augment import Augmentation
from penult.interface import option
from penult.machine import cores
from penult.progress import announce, following
from penult.records import Finetuned
from penult.wording import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.finetuning.history import History
    from penult.finetuning.photos import LabelledPhotos, Photos
    from penult.finetuning.processes import Processes
    from penult.finetuning.split import Parts
    from penult.progress import Tell
    from penult.recipe import Precision

__all__ = ["FinetuneRun"]


@dataclass(frozen=True, kw_only=True)
class FinetuneRun:
    """All that is asked of a fine-tuning.

    Attributes
    ----------
    source : LabelledPhotos
    output : Path
        The checkpoint's folder.
    options : FinetuneOptions
    precision : {"float32", "bfloat16"}
    tensorboard : str, Path or None
        Where logs for TensorBoard are written.
    resume, restart, overwrite : bool
    inputs : tuple of Path
        What the network may be read from, which the output may not replace.
    keep : callable or None
        What takes the network and all that belongs to it; by default, they are written to `output`.
        `output` is then a passing place, and no run can go on from it.
    """

    source: LabelledPhotos
    output: Path
    options: FinetuneOptions
    precision: Precision = "float32"
    tensorboard: str | Path | None = None
    resume: bool = False
    restart: bool = False
    overwrite: bool = False
    inputs: tuple[Path, ...] = ()
    keep: Callable[[torch.nn.Module, FinetunedModel], object] | None = None

    def run(self, tell: Tell) -> Finetuned:
        """Fine-tune; see `penult.finetune`."""
        processes = open_processes(self.source.device)
        with processes.together():
            if processes.count > 1:
                self._require_one_result()
            if not processes.is_first:
                with following(False) as silent:
                    return self._run(processes, None, silent)
            check_folder(self.output, overwrite=self.overwrite, inputs=self.inputs)
            require_tensorboard(self.tensorboard)
            return self._run(processes, self._open_folder, tell)

    def _require_one_result(self) -> None:
        """Refuse what several processes do not do as one would."""
        if self.keep is not None:
            raise UsageError(
                "penult.FineTuner trains in one process, and a launcher started several; start "
                "one, or call penult.finetune"
            )
        if self.options.batch_norm == "train":
            raise UsageError(
                f"{option('batch_norm', 'train')} takes the means of a batch, which several "
                f"processes divide among them; give {option('batch_norm', 'fixed')}, or start one "
                f"process"
            )

    def _run(
        self,
        processes: Processes,
        open_folder: Callable[[Backbone], RunFolder] | None,
        tell: Tell,
    ) -> Finetuned:
        """Take this process's part; only the first one has a folder."""
        # The first process fetches what is to be fetched.
        backbone = processes.in_turn(self.source.open_backbone)
        require_trainable(backbone)
        if len(set(processes.gather(backbone.weights.sha256))) > 1:
            raise UsageError(f"the weights of {backbone.described} are not the same everywhere")
        architecture = architecture_of(backbone)
        divide_blocks(backbone, self.options)  # refuses too many before photos are read
        folder = None if open_folder is None else open_folder(backbone)
        done = False
        try:
            with TrainingLog(self.tensorboard if processes.is_first else None) as log:
                work = _Work(self, backbone, architecture, processes, folder, tell, log)
                finetuned = work.run()
            done = True
        finally:
            if folder is not None:
                folder.release(done=done)
        return finetuned

    def _open_folder(self, backbone: Backbone) -> RunFolder:
        return RunFolder(
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


@dataclass(eq=False)
class _Work:
    """One run's way, with what it has found so far."""

    asked: FinetuneRun
    backbone: Backbone
    architecture: str
    processes: Processes
    folder: RunFolder | None
    tell: Tell
    log: TrainingLog

    def run(self) -> Finetuned:
        options, processes = self.asked.options, self.processes
        self.photos, self.parts, probes = processes.share(self._probed)
        began = time.perf_counter()
        is_kept = self.folder is not None and self.asked.keep is None
        kept = self._own.training if is_kept else None
        state = TrainingState(kept, self.photos.digest(self.parts))
        # What earlier runs took for the epochs that this one takes over.
        began -= state.seconds
        self.scratch = processes.share(lambda: self._own.path)
        if not self.scratch.is_dir():  # on another machine
            self.scratch = Path(tempfile.gettempdir())
        self.reader = self._reader()
        self.network = starting_network(self.backbone, options, probes.start.weights)
        stages = Stages(
            options=options,
            precision=self.asked.precision,
            network=self.network,
            photos=self.photos,
            parts=self.parts,
            reader=self.reader,
            processes=self.processes,
            state=state,
            folder=self.scratch,
            log=self.log,
            tell=self.tell,
        )
        history, evaluation = stages.run()
        share = None
        if options.wise_ft:
            share = average_weights(
                self.network, history, lambda: evaluation.score(self.parts.validation)[0]
            )
        assessment = Assessment.make(self.photos, self.parts, evaluation, probes, seed=options.seed)
        for failures in processes.gather(self.reader.failures):
            self.reader.failures.update(failures)
        spent = time.perf_counter() - began
        return processes.share(lambda: self._written(history, assessment, share, spent))

    def _probed(self) -> tuple[Photos, Parts, Probes]:
        """Make, or take up, the rows of all photos; divide them, and solve the probe."""
        options = self.asked.options
        began = time.perf_counter()
        photos = self.asked.source.read(
            self._own.rows, leave_out=self.asked.output, anew=not self._own.is_begun
        )
        parts = divide(photos.features, options)
        parts.tell_unscored()
        announce("solving the probe", brief=True)
        probes = Probes.solve(photos, parts, options.class_weight)
        self._own.spent(time.perf_counter() - began)
        return photos if self.processes.count == 1 else photos.in_memory(), parts, probes

    @property
    def _own(self) -> RunFolder:
        assert self.folder is not None  # asked by the first process alone
        return self.folder

    def _written(
        self, history: History, assessment: Assessment, share: float | None, finetuning: float
    ) -> Finetuned:
        """Write what the run came to, and say what that is."""
        finetuned = self._finetuned(history, assessment, share, finetuning=finetuning)
        announce("writing the checkpoint", brief=True)
        self._write(finetuned, assessment)
        return finetuned

    def _reader(self) -> PixelReader:
        policy, reading = self.asked.options.policy, self.asked.source.reading
        neighbours = self.processes.neighbours
        if neighbours > 1 and reading.workers is None:
            reading = replace(reading, workers=max(1, cores() // neighbours))
        return PixelReader(
            records=self.photos.records,
            preprocessing=self.backbone.preprocessing,
            reading=reading,
            augmentation=None if policy is None else Augmentation(policy, self.asked.options.seed),
            store=ArrayStore(self.scratch, sharers=neighbours),
        )

    def _finetuned(
        self, history: History, assessment: Assessment, share: float | None, *, finetuning: float
    ) -> Finetuned:
        """Put together what is said of the run."""
        probe, network = self._own.seconds, self.network
        tested, probed = assessment.tested, assessment.probed
        return Finetuned(
            output=str(self.asked.output),
            model=self.backbone.name,
            label_names=self.photos.names,
            scores=None if tested is None else tested.scores,
            held_out=None if tested is None else tested.held_out,
            validation=assessment.validated.scores,
            probe=None if probed is None else probed.scores,
            difference=assessment.difference,
            seconds={"probe": probe, "finetune": probe + finetuning},
            epochs=(*history.before, *history.epochs),
            best_epoch=history.best,
            unfrozen=tuple(block.name for block in network.unfrozen),
            parameters=sum(one.numel() for one in network.parameters() if one.requires_grad),
            frozen=tuple(block.name for block in network.frozen),
            frozen_parameters=sum(
                one.numel() for one in network.parameters() if not one.requires_grad
            ),
            temperature=assessment.temperature,
            calibration=None if tested is None else tested.calibration,
            wise_ft=share,
            train_images=self.reader.readable(self.parts.train),
            validation_images=self.reader.readable(self.parts.validation),
            left_out=self.parts.left_out(),
            failures=(*self.photos.features.failures, *self.reader.failures.values()),
            options=self.asked.options.resolved,
            stopped=history.stopped,
            trained_network=assessment.trained,
            untrained=assessment.untrained,
            verdict=verdict(
                assessment.difference,
                seconds=probe + finetuning,
                probe_seconds=probe,
                tested=tested is not None,
                trained=history.best > 0 and share != 0,
            ),
        )

    def _training_photos(self) -> TrainingPhotos:
        """Take down which photos these were, and what was asked for."""
        source, options = self.asked.source, self.asked.options.to_dict()
        reading, weights = source.reading, source.weights
        usual = FinetuneOptions().to_dict()
        asked = {
            "model": None if source.model == DEFAULT_MODEL else source.model,
            "weights": None if weights.weights is None else str(weights.weights),
            "architecture": weights.architecture,
            **{name: value for name, value in options.items() if value != usual[name]},
            "precision": None if self.asked.precision == "float32" else self.asked.precision,
            "max_pixels": reading.max_pixels,
            "allow_truncated": reading.allow_truncated or None,
        }
        return TrainingPhotos.of(
            self.photos.features,
            train=self.parts.train,
            validation=self.parts.validation,
            test=self.parts.test,
            asked={name: value for name, value in asked.items() if value is not None},
        )

    def _trained_on(self) -> NDArray[np.uint64] | None:
        """Keys of the photos that trained the network, and of those that trained its parents."""
        parts = self.parts
        # Those that chose among the epochs are no new photos, either.
        own = content_keys(self.photos.features, np.union1d(parts.train, parts.validation))
        before = training_images(self.backbone.weights.path)
        if own is None or before is None:
            return before if own is None else own
        return np.union1d(own, before)

    def _write(self, finetuned: Finetuned, assessment: Assessment) -> None:
        """Write the checkpoint's folder."""
        options, photos, parts = self.asked.options, self.photos, self.parts
        network = self.network.to("cpu").eval()
        truth = photos.truth[parts.train]
        counts = (
            truth.sum(axis=0) if photos.several else np.bincount(truth, minlength=len(photos.names))
        )
        scored = assessment.tested or assessment.validated
        write = self.asked.keep or partial(
            write_checkpoint, self.asked.output, overwrite=self.asked.overwrite
        )
        write(
            network.inner.to(memory_format=torch.contiguous_format),
            FinetunedModel(
                architecture=self.architecture,
                preprocessing=self.backbone.preprocessing,
                head=Head.of(
                    network.head,
                    photos.names,
                    thresholds=assessment.thresholds,
                    temperature=assessment.temperature,
                ),
                options={
                    name: value
                    for name, value in finetuned.options.items()
                    if name != "seed" and value is not None and value is not False
                },
                summary=finetuned.to_dict(),
                scores=scored.scores,
                held_out=scored.held_out,
                train_images=finetuned.train_images,
                validation_images=finetuned.validation_images,
                classes=dict(zip(photos.names, map(int, counts), strict=True)),
                left_out=finetuned.left_out,
                seed=options.seed,
                photos=self._training_photos(),
                parts=tuple(
                    part_rows(
                        photos.features,
                        train=parts.train,
                        validation=parts.validation,
                        test=parts.test,
                    )
                ),
                data=listed(map(_name, photos.features.origin.get("sources", ()))),
                verdict=finetuned.verdict,
                likeness=likeness_of(
                    photos,
                    parts,
                    network,
                    PixelFeed(self.reader),
                    device=self.processes.device,
                    batch_size=options.train_batch_size,
                    seed=options.seed,
                ),
                trained_on=self._trained_on(),
            ),
        )


def _name(source: str) -> str:
    """What a model card calls the place of photos: it is given away, and says nothing of a home."""
    return str(source).rstrip("/").rpartition("/")[2]
