"""How a network is to be fine-tuned: each option named, checked and given its default once."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from penult.arguments import require_whole
from penult.errors import UsageError
from penult.images.pixels.augment import POLICIES
from penult.interface import option
from penult.partition.near_duplicates import require_cosine
from penult.partition.split_checks import require_split_options
from penult.representation import short_text

__all__ = ["FinetuneOptions"]

_HEAD = re.compile(r"mlp:([0-9]{1,9})")  # more digits are more than any network has
_NUMBER = re.compile("[0-9]{1,9}")
_MOST_UNITS = 65_536

HEAD_LR, BLOCK_LR = 1e-3, 3e-4
"""The learning rate of a head that learns alone; and of one above blocks that learn."""


@dataclass(frozen=True, kw_only=True)
class FinetuneOptions:
    """What `penult.finetune` takes; its docstring says what each means.

    Attributes
    ----------
    epochs : int
    unfreeze : str or int
    head : str
    lr : float or None
    layer_decay : float
    weight_decay : float
    label_smoothing : float
    batch_norm : {"fixed", "train"}
    augment : {"light", "strong", "none"} or None
    class_weight : {"balanced"} or None
    patience : int
    wise_ft : bool
    train_batch_size : int
    test_size, validation_size : float
    ignore_splits : bool
    near_duplicates : float
    seed : int

    Raises
    ------
    UsageError
        If one has a value that it cannot have.
    """

    epochs: int = 10
    unfreeze: str | int = "last"
    head: str = "linear"
    lr: float | None = None
    layer_decay: float = 0.8
    weight_decay: float = 0.01
    label_smoothing: float = 0.1
    batch_norm: Literal["fixed", "train"] = "fixed"
    augment: Literal["light", "strong", "none"] | None = None
    class_weight: Literal["balanced"] | None = None
    patience: int = 3
    wise_ft: bool = False
    train_batch_size: int = 32
    test_size: float = 0.25
    validation_size: float = 0.2
    ignore_splits: bool = False
    near_duplicates: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "train_batch_size"):
            value = getattr(self, name)
            require_whole(name, value)
            if value < 1:
                raise UsageError(f"{option(name, value)} was given; give 1 or more")
        require_whole("seed", self.seed)
        for name, most in (("lr", 10.0), ("layer_decay", 1.0)):
            value = getattr(self, name)
            if value is not None and not 0 < value <= most:
                raise UsageError(
                    f"{option(name, value)} was given; give a number above 0, up to {most:g}"
                )
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise UsageError(
                f"{option('weight_decay', self.weight_decay)} was given; give 0 or more"
            )
        if not 0 <= self.label_smoothing < 1:
            raise UsageError(
                f"{option('label_smoothing', self.label_smoothing)} was given; give a number from "
                "0 up to, and without, 1"
            )
        if self.augment not in (None, *POLICIES, "none"):
            raise UsageError(
                f"{option('augment', self.augment)} was given; allowed: {', '.join(POLICIES)}, none"
            )
        # 0 holds nothing out.
        require_split_options(test_size=self.test_size or 0.5, seed=self.seed, folds=2)
        if not 0 < self.validation_size < 1:
            raise UsageError(
                f"{option('validation_size', self.validation_size)} was given; give a number "
                "between 0 and 1"
            )
        require_cosine(self.near_duplicates)
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if "float" in str(field.type) and value is not None:
                # 1 and 1.0 are one option, and are written down alike.
                object.__setattr__(self, field.name, float(value))
        _ = self.blocks, self.hidden

    @property
    def blocks(self) -> int | None:
        """How many blocks are unfrozen, counted from the last one; None for all."""
        words: dict[str, int | None] = {"none": 0, "last": 1, "all": None}
        if isinstance(self.unfreeze, str) and self.unfreeze in words:
            return words[self.unfreeze]
        text = str(self.unfreeze)
        if isinstance(self.unfreeze, bool) or not _NUMBER.fullmatch(text):
            given = option("unfreeze", short_text(text, 40))
            raise UsageError(
                f"{given} was given; give none, last, all, or how many blocks, such as 3"
            )
        return int(text)

    @property
    def policy(self) -> str | None:
        """How training photos are changed; None where they are not.

        By default lightly, unless the whole network is frozen: then its rows are known already,
        and changed photos would have to go through it again and again.
        """
        if self.augment is None:
            return None if self.blocks == 0 else "light"
        return None if self.augment == "none" else self.augment

    @property
    def hidden(self) -> int:
        """How many units the head's hidden layer has; 0 for a linear head."""
        if self.head == "linear":
            return 0
        found = _HEAD.fullmatch(str(self.head))
        if found is None or not 1 <= int(found[1]) <= _MOST_UNITS:
            given = option("head", short_text(str(self.head), 40))
            raise UsageError(
                f"{given} was given; give linear, or mlp:K for a hidden layer of K units (1 to "
                f"{_MOST_UNITS:,}), such as mlp:1024"
            )
        return int(found[1])

    @property
    def resolved(self) -> dict[str, Any]:
        """What JSON can hold of them, with the values that are taken where none was given.

        ``head_lr`` is the learning rate of a head with a hidden layer while it is trained alone,
        before the blocks; None where there is none.
        """
        return {
            **self.to_dict(),
            "lr": self.rate(alone=self.blocks == 0),
            "head_lr": self.rate(alone=True) if self.hidden and self.blocks != 0 else None,
            "augment": self.policy or "none",
            "optimizer": "AdamW",
            "schedule": "linear warm-up over a tenth of the steps, then a cosine to 0",
        }

    def rate(self, *, alone: bool) -> float:
        """The head's highest learning rate, where it learns alone, or above blocks that learn."""
        return self.lr or (HEAD_LR if alone else BLOCK_LR)

    def to_dict(self) -> dict[str, Any]:
        """Write them as what JSON can hold."""
        return dataclasses.asdict(self)
