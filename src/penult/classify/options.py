"""How a classifier is to be trained: each option named, checked and given its default once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penult.arguments import require_whole
from penult.classify.preparation import make_scaler
from penult.errors import UsageError
from penult.interface import at_command_line, option
from penult.machine import free_memory
from penult.partition.near_duplicates import join_near_duplicates, require_cosine
from penult.partition.split_checks import require_split_options
from penult.partition.splits import Split, hold_out
from penult.representation import short, what_given

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["TrainOptions"]

BALANCED = "balanced"

_WHOLE = ("seed", "folds", "runs", "min_per_class")


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What `penult.train` and `penult.report` take alike; their docstrings say what each means.

    Attributes
    ----------
    classifier : str or sequence of str
    grid : mapping of str to sequence, or None
    scale : {'l2', 'standard', 'none'}
    reduce : int or None
    class_weight : {'balanced'} or None
    test_size : float
    seed : int
    folds : int
    runs : int
    ignore_splits : bool
    min_per_class : int
    near_duplicates : float or None
    refit : bool
    max_memory : int or None
    """

    classifier: str | tuple[str, ...] = "logistic"
    grid: Mapping[str, tuple[Any, ...]] | None = None
    scale: str = "l2"
    reduce: int | None = None
    class_weight: str | None = None
    test_size: float = 0.25
    seed: int = 0
    folds: int = 3
    runs: int = 1
    ignore_splits: bool = False
    min_per_class: int = 0
    near_duplicates: float | None = None
    refit: bool = False
    max_memory: int | None = None

    @classmethod
    def of(
        cls,
        *,
        classifier: str | Sequence[str],
        grid: Mapping[str, Sequence[Any]] | None,
        **options: Any,
    ) -> TrainOptions:
        """Make one of what a function was given, and refuse what no training can have.

        What depends on the kinds of classifier, `penult.classify.training.grid` checks.

        Raises
        ------
        UsageError, UnknownNameError
        """
        names = (classifier,) if isinstance(classifier, str) else tuple(classifier)
        for name in names:
            if "," in str(name):
                raise UsageError(f"{short(name)} is several kinds; give {_each(name)}")
        made = cls(
            classifier=names[0] if len(names) == 1 else names,
            grid=grid,  # type: ignore[arg-type]
            **options,
        )
        made._require_possible()
        return made

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of classifier to choose from."""
        return (self.classifier,) if isinstance(self.classifier, str) else self.classifier

    @property
    def memory(self) -> int:
        """Bytes that may be taken: as many as were given, or half of what the machine has free."""
        return free_memory() // 2 if self.max_memory is None else self.max_memory

    def joined(self, features: Features) -> Features:
        """The same, near-duplicates taken for one image where that is asked for.

        Raises
        ------
        TrainingError
        """
        if self.near_duplicates is None:
            return features
        return join_near_duplicates(features, self.near_duplicates, self.memory)

    def split(
        self, features: Features, *, run: int = 0, in_test_file: NDArray[np.bool_] | None = None
    ) -> Split:
        """Divide rows into those that train and those held out: all who ask get the same parts.

        Parameters
        ----------
        features : Features
            As `joined` gives them.
        run : int
            Which one, where there are several.
        in_test_file : bool array, shape (N,), optional
            As `hold_out` takes it.

        Raises
        ------
        UsageError, TrainingError
        """
        return hold_out(
            features,
            test_size=self.test_size,
            seed=self.seed + run,
            folds=self.folds,
            stored=not self.ignore_splits,
            min_per_class=self.min_per_class,
            in_test_file=in_test_file,
        )

    def changed(self) -> dict[str, Any]:
        """Name to value of those that are not the default."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    def recorded(self) -> TrainOptions:
        """The same, of values that JSON can hold and give back."""
        if self.grid is None:
            return self
        grid = {
            name: tuple(value.item() if hasattr(value, "item") else value for value in values)
            for name, values in self.grid.items()
        }
        return dataclasses.replace(self, grid=grid)

    def _require_possible(self) -> None:
        for name in _WHOLE:
            require_whole(name, getattr(self, name))
        if self.min_per_class < 0:
            raise UsageError(f"min_per_class is {self.min_per_class}; give 0 or more")
        if not self.kinds or self.runs < 1:
            raise UsageError(
                f"{len(self.kinds)} classifiers in {self.runs} runs; give at least one of each"
            )
        if self.max_memory is not None:
            require_whole("max_memory", self.max_memory)
            if self.max_memory < 1:
                raise UsageError(f"{self.max_memory} bytes of memory hold no row; give 1 or more")
        make_scaler(self.scale)
        if self.class_weight not in (None, BALANCED):
            raise UsageError(
                f"class_weight is {what_given(self.class_weight)}; give "
                f"{option('class_weight', BALANCED)}, or leave it out"
            )
        if self.reduce is not None:
            require_whole("reduce", self.reduce)
            if self.reduce < 1:
                raise UsageError(f"rows cannot be reduced to {self.reduce} numbers; give 1 or more")
        require_split_options(test_size=self.test_size, seed=self.seed, folds=self.folds)
        if self.near_duplicates is not None:
            require_cosine(self.near_duplicates)


def _each(names: str) -> str:
    """Say how ``"svm,forest"`` is typed."""
    split = [name.strip() for name in names.split(",")]
    if at_command_line():
        return " ".join(option("classifier", name) for name in split)
    return option("classifier", split)
