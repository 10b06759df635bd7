"""What a fine-tuning came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penult.records.failure import Failure
from penult.records.finetune_epoch import FinetuneEpoch
from penult.records.held_out import HeldOut
from penult.records.model_difference import ModelDifference
from penult.records.scores import Scores
from penult.representation import html_table, one_line, short_text
from penult.wording import count, no_estimate, percent, points

__all__ = ["Finetuned"]


@dataclass(frozen=True, kw_only=True)
class Finetuned:
    """What a fine-tuning came to: its scores, and those of the frozen network on the same photos.

    Attributes
    ----------
    output : str
        The checkpoint's folder; empty where none was written.
    model : str
        The backbone that was fine-tuned.
    label_names : tuple of str
        The K classes.
    scores : Scores or None
        On the test photos, which neither trained nor stopped anything; None where there are none.
    held_out : HeldOut or None
        What it predicted for each of them.
    validation : Scores
        On the validation photos, by which the epoch, the temperature and the averaging of weights
        were chosen: they flatter, and are no score.
    probe : Scores or None
        Of the frozen network on the same test photos: a logistic regression on its rows, fitted on
        the training and the validation photos. None where there are no test photos.
    difference : ModelDifference or None
        Of the test accuracy less the probe's, with a paired interval; None where no test photo is
        of both.
    seconds : mapping of str to float
        What the ``"probe"`` and what ``"finetune"`` took, from the first photo to the last score,
        without opening the network and writing the result: the second includes the first.
    epochs : tuple of FinetuneEpoch
        The training, epoch 0 being what it started from. A head with a hidden layer is trained
        alone first, where blocks learn as well: the epochs of that stage come before the others'.
    best_epoch : int
        Of the last stage, that whose weights were kept; 0 where training only made it worse.
    unfrozen : tuple of str
        The blocks that learnt, first to last; empty where the head alone did.
    parameters : int
        How many numbers learnt at last, the head's included.
    temperature : float
        What logits are divided by.
    calibration : (float, float) or None
        Expected calibration error on the test photos, before and after; None where a photo has
        several labels.
    wise_ft : float or None
        The share of the trained weights in the average with those of the start; None where they
        were not averaged.
    train_images, validation_images : int
        How many photos trained, and validated; without those in `failures`.
    left_out : mapping of str to int
        Reason to the number of photos in no part.
    failures : tuple of Failure
        Photos that could not be read, before or during training.
    options : mapping of str to Any
        How it was trained, what is left to penult by default filled in.
    stopped : str
        Why the training ended before its last epoch; empty where it did not.
    verdict : str
        Whether it was worth it, in one sentence.
    frozen : tuple of str
        The blocks that stayed as they were, first to last; empty where none did, or the head alone
        learnt.
    frozen_parameters : int
        How many numbers of the network stayed as they were.
    trained_network : int or None
        How many of the test photos had trained the network that was fine-tuned, so that neither
        score is an estimate for new photos; None where that is not known.
    untrained : mapping of str to float
        ``"images"``, the number of the other test photos, and ``"accuracy"`` and ``"probe"``, the
        accuracy of either on these; empty where all had, or none.
    """

    output: str
    model: str
    label_names: tuple[str, ...]
    scores: Scores | None
    held_out: HeldOut | None
    validation: Scores
    probe: Scores | None
    difference: ModelDifference | None
    seconds: Mapping[str, float]
    epochs: tuple[FinetuneEpoch, ...]
    best_epoch: int
    unfrozen: tuple[str, ...]
    parameters: int
    temperature: float
    calibration: tuple[float, float] | None
    wise_ft: float | None
    train_images: int
    validation_images: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    stopped: str = ""
    verdict: str = ""
    frozen: tuple[str, ...] = ()
    frozen_parameters: int = 0
    trained_network: int | None = None
    untrained: Mapping[str, float] = field(default_factory=dict)

    @property
    def network_line(self) -> str | None:
        """How many test photos had trained the network that was fine-tuned, where some had."""
        if self.scores is None or not self.trained_network:
            return None
        line = no_estimate(self.trained_network, self.scores.images, "test photo")
        if not self.untrained:
            return line
        return (
            f"{line}; accuracy on the other {int(self.untrained['images']):,}: "
            f"{percent(self.untrained['accuracy'])}, of the probe: "
            f"{percent(self.untrained['probe'])}"
        )

    @property
    def trained(self) -> bool:
        """Whether an epoch of training was kept; if not, the network is as it was.

        The head is then what the last training began with: the probe of the training photos, or one
        with a hidden layer, trained on the frozen network's rows.
        """
        return self.best_epoch > 0 and self.wise_ft != 0

    @property
    def beats_probe(self) -> bool:
        """Whether it is better than the probe by more than noise."""
        by = self.difference
        return by is not None and by.separable and by.difference > 0

    def __repr__(self) -> str:
        return one_line("Finetuned", self._facts())

    def _repr_html_(self) -> str:
        header = ("stage", "epoch", "training loss", "validation loss", "validation accuracy")
        rows = [
            (
                one.stage,
                f"{one.epoch}",
                "" if one.train_loss is None else f"{one.train_loss:.3f}",
                f"{one.validation_loss:.3f}",
                percent(one.validation_accuracy),
            )
            for one in self.epochs
        ]
        facts = [*self._facts(), ("no estimate", self.network_line), ("verdict", self.verdict)]
        return html_table("Finetuned", facts, [header, *rows])

    def _facts(self) -> list[tuple[str, str | None]]:
        learnt = count(len(self.unfrozen), "block") if self.unfrozen else "the head alone"
        kept = f"epoch {self.best_epoch} of {self.epochs[-1].epoch:,} kept"
        difference = None
        if self.difference is not None:
            by = self.difference.difference
            better = "better" if by >= 0 else "worse"
            difference = f"{points(abs(by))} points {better} than the probe"
            difference += "" if self.difference.separable else ", not separable"
        scored = [("validation", f"no test, validation {percent(self.validation.accuracy)}")]
        if self.scores is not None and self.probe is not None:
            scored = [
                ("accuracy", f"accuracy {percent(self.scores.accuracy)}"),
                ("probe", f"probe {percent(self.probe.accuracy)}"),
            ]
        return [
            ("network", short_text(self.model)),
            ("learnt", f"{learnt}, {count(self.parameters, 'parameter')}"),
            *scored,
            ("difference", difference),
            ("epoch", kept if self.trained else f"{kept}: the network is as it was"),
            ("output", short_text(self.output) if self.output else None),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Write it as ``scores.json`` of the checkpoint has it.

        Returns
        -------
        dict
            ``test``, ``validation``, ``probe``, ``difference``, ``seconds``, ``start``, ``epochs``
            and more, JSON-like. ``test``, ``probe`` and ``difference`` are None where no photo was
            held out.
        """
        start, *epochs = (
            {name: value for name, value in one.to_dict().items() if value is not None}
            # A later stage starts from the best epoch of the one before, which is there already.
            for number, one in enumerate(self.epochs)
            if one.epoch or not number
        )
        test = None if self.scores is None else _numbers(self.scores)
        if test is not None and self.calibration is not None:
            test["calibration_error_before"] = self.calibration[0]
        return {
            "test": test,
            "validation": _numbers(self.validation),
            "probe": None if self.probe is None else _numbers(self.probe),
            "difference": None if self.difference is None else self.difference.to_dict(),
            "seconds": dict(self.seconds),
            "start": start,
            "epochs": epochs,
            "best_epoch": self.best_epoch,
            "trained": self.trained,
            "unfrozen": list(self.unfrozen),
            "frozen": list(self.frozen),
            "parameters": self.parameters,
            "frozen_parameters": self.frozen_parameters,
            "temperature": self.temperature,
            "wise_ft": self.wise_ft,
            "options": dict(self.options),
            "train_images": self.train_images,
            "validation_images": self.validation_images,
            "left_out": dict(self.left_out),
            "failed": len(self.failures),
            "stopped": self.stopped,
            "verdict": self.verdict,
            "trained_network": self.trained_network,
            "untrained": dict(self.untrained),
        }

    def to_dataframe(self) -> Any:
        """Make a pandas DataFrame, a row for each epoch.

        Returns
        -------
        pandas.DataFrame
            The columns of ``log.csv``: the attributes of `FinetuneEpoch`.

        Raises
        ------
        MissingExtraError
            If pandas is not installed.
        """
        from penult.tabular import finetuned_to_dataframe

        return finetuned_to_dataframe(self)


def _numbers(scores: Scores) -> dict[str, Any]:
    found = {
        "accuracy": scores.accuracy,
        "interval": None if scores.interval is None else list(scores.interval),
        "images": scores.images,
        "balanced_accuracy": scores.balanced_accuracy,
        "macro_f1": None if scores.macro is None else scores.macro.f1,
        "log_loss": scores.log_loss,
        "calibration_error": scores.calibration_error,
        "mean_average_precision": scores.mean_average_precision,
    }
    return {name: value for name, value in found.items() if value is not None}
