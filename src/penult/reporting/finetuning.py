"""What a report shows of a fine-tuned network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from penult.finetuning.curves import Curves
from penult.parsing import read_record

__all__ = ["Epoch", "Finetuning", "PairedDifference", "PartScores"]


@dataclass(frozen=True, kw_only=True)
class PartScores:
    """Scores on one part of the photos, or of the probe; see `penult.records.Finetuned`.

    Attributes
    ----------
    accuracy : float
    calibration_error, calibration_error_before : float or None
        With the temperature, and without it.
    """

    accuracy: float
    calibration_error: float | None = None
    calibration_error_before: float | None = None


@dataclass(frozen=True, kw_only=True)
class PairedDifference:
    """The test accuracy less the probe's, with a 95% interval, in [-1, 1].

    Attributes
    ----------
    difference : float or None
    low, high : float
    separable : bool
        Whether it is more than noise.
    p : float or None
    images : int
        On which both were scored; 0 where that is not known.
    """

    low: float
    high: float
    separable: bool
    difference: float | None = None
    p: float | None = None
    images: int = 0


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One epoch; see `penult.records.FinetuneEpoch`."""

    stage: str = ""
    epoch: int | None = None
    train_loss: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    lr: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Finetuning:
    """What the ``scores.json`` of a checkpoint says; see `penult.records.Finetuned`.

    Attributes
    ----------
    test, validation, probe : PartScores
    difference : PairedDifference or None
    seconds : mapping of str to float
    start : Epoch or None
        What the training started from.
    epochs : tuple of Epoch
    best_epoch : int or None
    unfrozen, frozen : tuple of str
    parameters, frozen_parameters : int or None
    temperature : float or None
    wise_ft : float or None
    train_images, validation_images : int
    left_out : mapping of str to int
    failed : int
    stopped, verdict : str
    """

    test: PartScores
    validation: PartScores
    probe: PartScores
    difference: PairedDifference | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    start: Epoch | None = None
    epochs: tuple[Epoch, ...] = ()
    best_epoch: int | None = None
    unfrozen: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    parameters: int | None = None
    frozen_parameters: int | None = None
    temperature: float | None = None
    wise_ft: float | None = None
    train_images: int = 0
    validation_images: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    failed: int = 0
    stopped: str = ""
    verdict: str = ""

    @classmethod
    def read(cls, path: Path) -> Finetuning:
        """Read the ``scores.json`` of a checkpoint.

        Raises
        ------
        FileFormatError
            If it is not there, or is something else.
        """
        return read_record(cls, path, remedy="put back the whole folder, or fine-tune again")

    @property
    def curves(self) -> Curves:
        """What is drawn of its epochs."""
        start, *epochs = (
            {name: value for name, value in asdict(one).items() if value is not None}
            for one in (self.start or Epoch(), *self.epochs)
        )
        return Curves.of({"start": start, "epochs": epochs, "best_epoch": self.best_epoch})
