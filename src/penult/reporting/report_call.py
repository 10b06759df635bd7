"""What a report was asked for, so that the same can be typed again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from penult.errors import FileFormatError
from penult.parsing import read_json, to_record
from penult.records import Features
from penult.reporting.commands import shown_sources, typed, typed_option

__all__ = ["CALL", "ReportCall", "recorded_call", "with_labels"]

CALL = "report"
"""Its key in ``scores.json``."""

_OF_ONE_TIME = ("images", "output", "open", "overwrite", "progress")
"""Arguments that are no options, or say nothing of what is on the page."""

_OF_ROWS = (
    *("model", "layer", "views", "join", "weights", "architecture"),
    *("labels", "label_pattern", "path_column", "label_column", "splits"),
)
"""Options that the rows of a feature file know by themselves."""


@dataclass(frozen=True, kw_only=True)
class ReportCall:
    """What a report was asked for.

    Attributes
    ----------
    sources : tuple of str
        The images, or the feature file, as they were typed.
    output : str
        The report's folder, as it was typed.
    options : mapping of str to object
        Option to value, as JSON has it, of those that are not the default.
    """

    sources: tuple[str, ...]
    output: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, function: Callable[..., Any], given: Mapping[str, Any], sources: Sequence[Any]
    ) -> ReportCall:
        """Take what a function was given, by its own defaults.

        Labels that were given one by one cannot be typed, and are left out.

        Parameters
        ----------
        function : `penult.report`
        given : its arguments by name
        sources : its images, as a list
        """
        options = {}
        for name, parameter in inspect.signature(function).parameters.items():
            value = _plain(given[name])
            if name in _OF_ONE_TIME or (name == "labels" and not isinstance(value, str)):
                continue
            if value != _plain(parameter.default):
                options[name] = value
        return cls(
            sources=tuple(map(str, sources)), output=str(Path(given["output"])), options=options
        )

    def command(
        self, *, output: str | None = None, changed: Mapping[str, Any] | None = None
    ) -> str:
        """What to type to get the report again, in the folder where it was made.

        Parameters
        ----------
        output : the report's folder, where it is called otherwise
        changed : options of other values; None for those that are left out
        """
        changed = changed or {}
        options = {k: v for k, v in self.options.items() if k not in changed} | {**changed}
        words = ["report", *shown_sources(self.sources), "-o", output or self.output]
        return typed(*words, *_words(options), "--overwrite")

    @property
    def beside_rows(self) -> tuple[str, ...]:
        """The words of those options that do not say how rows and labels are made."""
        return _words({k: v for k, v in self.options.items() if k not in _OF_ROWS})

    def is_typed_here(self, features: Features) -> bool:
        """Whether what was typed means the images of some rows in this folder, too."""
        noted = features.origin.get("sources", ())
        return [*map(_place, self.sources)] == [*map(_place, noted)]

    def to_dict(self) -> dict[str, Any]:
        """The same, JSON-like."""
        return asdict(self)


def with_labels(features: Features, labels: str) -> dict[str, str | None]:
    """Options of rows that are to have the labels of a table, to be put in place of others.

    Parameters
    ----------
    features : with the labels that they had
    labels : the table
    """
    changed = dict.fromkeys(("label_pattern", "path_column", "label_column"))
    folders = features.origin.get("split_folders") or ()
    if features.splits is None and any(one["split"] is None for one in folders):
        # Beside a table of labels, a class called train would be a split.
        return {**changed, "labels": labels, "splits": "none"}
    return {**changed, "labels": labels}


def recorded_call(scores: Path) -> ReportCall | None:
    """What a report was asked for, or None where the file of its scores does not say so."""
    try:
        call = to_record(ReportCall, read_json(scores.read_bytes())[CALL])
        call.command()  # a stranger's file may hold what is no option
    except (OSError, ValueError, TypeError, KeyError, FileFormatError):
        return None
    return call


def _place(source: str) -> str:
    return source if "://" in source else str(Path(source).absolute())


def _plain(value: Any) -> Any:
    """A value as JSON has it; a list of one is that one."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        values_of = {str(k): _plain(v) for k, v in value.items()}
        return {k: v if isinstance(v, list) else [v] for k, v in values_of.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        values = [*map(_plain, value)]
        return values[0] if len(values) == 1 else values
    return value.tolist() if hasattr(value, "tolist") else value  # NumPy's numbers and arrays


def _words(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        word
        for name, value in options.items()
        if value is not None and name.isidentifier()
        for word in typed_option(name, value)
    )
