"""A fine-tuning from photos to the checkpoint's folder."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from penult.backbones.checkpoint import architecture_of
from penult.engines.torch_device import lies_channels_last
from penult.errors import UsageError
from penult.finetuning.array_store import ArrayStore
from penult.finetuning.assessment import Assessment
from penult.finetuning.checkpoint_folder import check_folder
from penult.finetuning.device import open_processes
from penult.finetuning.options import FinetuneOptions
from penult.finetuning.outcome import Outcome
from penult.finetuning.pixels import PixelReader
from penult.finetuning.probes import Probes
from penult.finetuning.run_folder import RunFolder
from penult.finetuning.split import divide
from penult.finetuning.stages import Stages
from penult.finetuning.start import divide_blocks, require_trainable, starting_network
from penult.finetuning.state import TrainingState
from penult.finetuning.training_log import TrainingLog, require_tensorboard
from penult.finetuning.wise_ft import average_weights
from penult.images.pixels.augment import Augmentation
from penult.interface import option
from penult.machine import cores
from penult.progress import announce, following

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.finetuning.photos import LabelledPhotos, Photos
    from penult.finetuning.processes import Processes
    from penult.finetuning.split import Parts
    from penult.progress import Tell
    from penult.recipe import Precision
    from penult.records import Finetuned

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
        What takes the `Outcome`, which by default is written to `output`. That is then a passing
        place, and no run can go on from it.
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
    keep: Callable[[Outcome], object] | None = None

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
        self.network = starting_network(
            self.backbone,
            options,
            probes.start.weights,
            channels_last=lies_channels_last(self.processes.device.type, self.asked.precision),
        )
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
        self.history, self.evaluation = stages.run()
        share = None
        if options.wise_ft:
            share = average_weights(
                self.network, self.history, lambda: self.evaluation.score(self.parts.validation)[0]
            )
        assessment = Assessment.make(
            self.photos, self.parts, self.evaluation, probes, seed=options.seed
        )
        for failures in processes.gather(self.reader.failures):
            self.reader.failures.update(failures)
        spent = time.perf_counter() - began
        return processes.share(lambda: self._written(assessment, share, spent))

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

    def _written(self, assessment: Assessment, share: float | None, seconds: float) -> Finetuned:
        """Write what the run came to, and say what that is."""
        outcome = Outcome(
            asked=self.asked,
            backbone=self.backbone,
            architecture=self.architecture,
            photos=self.photos,
            parts=self.parts,
            reader=self.reader,
            network=self.network,
            evaluation=self.evaluation,
            history=self.history,
            assessment=assessment,
            wise_ft=share,
            probe_seconds=self._own.seconds,
            training_seconds=seconds,
        )
        announce("writing the checkpoint", brief=True)
        (self.asked.keep or Outcome.write)(outcome)
        return outcome.finetuned

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
