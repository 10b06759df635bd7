"""Which photos a network was fine-tuned on, where they were, and what was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from penult.messages import escape_json
from penult.output import atomic_text
from penult.parsing import read_record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.records import Features

__all__ = ["TrainingPhotos"]

_LISTING = ("labels", "label_pattern", "path_column", "label_column", "splits")


@dataclass(frozen=True, kw_only=True)
class TrainingPhotos:
    """What a fine-tuning keeps of its photos in ``photos.json``: their names, and no picture.

    Attributes
    ----------
    sources : tuple of str
        Absolute paths, or addresses; empty where they were given in memory.
    listing : mapping of str to str or None
        How they were listed, as `penult.images.listing_options.ListingOptions` has it.
    asked : mapping of str to Any
        What `penult.finetune` was given beside that, those options that are not their defaults.
    train, validation, test : mapping of str to str
        The id of each photo of that part, and the digest of its bytes; "" where it has none.
    """

    sources: tuple[str, ...] = ()
    listing: Mapping[str, str | None] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    train: Mapping[str, str] = field(default_factory=dict)
    validation: Mapping[str, str] = field(default_factory=dict)
    test: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, features: Features, *, asked: Mapping[str, Any], **parts: NDArray[np.int64]
    ) -> TrainingPhotos:
        """Take down which photos are in which part.

        Parameters
        ----------
        features : Features
            A row for each photo.
        asked : mapping of str to Any
            JSON-like.
        **parts : int64 array
            Row numbers of ``train``, ``validation`` and ``test``.
        """
        origin, content = features.origin, features.content
        return cls(
            sources=() if "folder" in origin else tuple(map(str, origin.get("sources", ()))),
            listing={name: _text(origin[name]) for name in _LISTING if name in origin},
            asked=asked,
            **{
                part: {
                    str(features.ids[k]): "" if content is None else str(content[k])
                    for k in rows.tolist()
                }
                for part, rows in parts.items()
            },
        )

    @classmethod
    def read(cls, path: Path) -> TrainingPhotos:
        """Read what `write` wrote.

        Raises
        ------
        FileFormatError
            If it is not there, or is something else.
        """
        return read_record(cls, path, remedy="put back the whole folder, or fine-tune again")

    def write(self, path: Path) -> None:
        """Write it as JSON, a photo a line.

        Raises
        ------
        OutputExistsError, OutputError
        """
        lines = json.dumps(asdict(self), indent=1, ensure_ascii=False).split("\n")
        with atomic_text(path) as file:
            file.write("".join(f"{escape_json(line)}\n" for line in lines))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
