"""The labelled photos of a fine-tuning, with the rows that the frozen network gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from penult.errors import (
    FeatureFileError,
    FileFormatError,
    ImageError,
    RecipeMismatchError,
    ResumeError,
    UnreadableFileError,
)
from penult.extraction import Extraction
from penult.extractor import EngineOptions, ExtractorSpec, ModelRows, OpenedBackbone, ReadingOptions
from penult.interface import option
from penult.partition.empty_classes import log_empty_classes, without_empty_classes
from penult.partition.rows import read_rows
from penult.records import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from penult.backbones.backbone import Backbone
    from penult.backbones.weights.choice import WeightsChoice
    from penult.finetuning.split import Parts
    from penult.images.listing import Images
    from penult.images.listing_options import ListingOptions
    from penult.records import Features, ImageRecord

__all__ = ["LabelledPhotos", "PhotoSource", "Photos"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Photos:
    """Photos and their rows.

    Attributes
    ----------
    features : Features
        The rows of the frozen network, and their labels, groups and so on.
    rows : float32 array, shape (N, D)
        The same rows in memory.
    records : sequence of ImageRecord, length N
        What each row is of.
    """

    features: Features
    rows: NDArray[np.float32]
    records: Sequence[ImageRecord]

    @property
    def truth(self) -> NDArray[Any]:
        """The class of each, int64 (N,), -1 for none; or bool (N, K) where it may have several."""
        if self.features.targets is not None:
            return np.asarray(self.features.targets, bool)
        return np.asarray(self.features.labels, np.int64)

    @property
    def names(self) -> tuple[str, ...]:
        """The K classes."""
        return tuple(map(str, self.features.label_names))

    @property
    def several(self) -> bool:
        """Whether a photo may have several labels."""
        return self.features.targets is not None

    def in_memory(self) -> Photos:
        """The same without a file, so that another process can have them."""
        features = self.features.take(np.arange(len(self.features)))
        return replace(self, features=replace(features, features=self.rows))

    def digest(self, parts: Parts) -> str:
        """By what other photos, labels, rows or parts are told from these, hex SHA-256."""
        found = hashlib.sha256()
        for texts in (self.features.ids, self.features.content or (), self.features.label_names):
            found.update("\0".join(map(str, texts)).encode(errors="surrogatepass"))
        for array in (self.truth, parts.train, parts.validation, parts.test, self.rows):
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()


class LabelledPhotos(Protocol):
    """Photos that are to be fine-tuned on, and the network that is.

    Attributes
    ----------
    model : str
        The network, as it was named.
    weights : WeightsChoice
    reading : ReadingOptions
        How photos are read.
    device : str
        Where the network runs.
    """

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def weights(self) -> WeightsChoice: ...  # noqa: D102
    @property
    def reading(self) -> ReadingOptions: ...  # noqa: D102
    @property
    def device(self) -> str: ...  # noqa: D102

    def open_backbone(self) -> Backbone:
        """Open the network that is to be trained; nobody else in this process has it."""

    def read(self, file: Path, *, leave_out: Path, anew: bool = False) -> Photos:
        """Make the rows of all photos, or take up those that an interrupted run has made.

        Parameters
        ----------
        file : Path
            Where the rows may be kept.
        leave_out : Path
            A folder that is written to, and no source of photos.
        anew : bool, default=False
            Whether rows that are there may be made anew.
        """


@dataclass(frozen=True, kw_only=True)
class PhotoSource:
    """Where photos come from, and the network that makes rows of them.

    Attributes
    ----------
    images : as for `penult.extract`
    model : str
        The backbone.
    weights : WeightsChoice
    listing : ListingOptions
    reading : ReadingOptions
    device : str
    """

    images: Images
    model: str
    weights: WeightsChoice
    listing: ListingOptions
    reading: ReadingOptions
    device: str

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the network may be read from, if it is a file or a folder."""
        named = Path(self.model.removeprefix("checkpoint:")).expanduser()
        given = self.weights.weights
        return (named,) if given is None or given == "random" else (named, Path(given))

    def open_backbone(self) -> Backbone:
        """Open the network that is to be trained; nobody else in this process has it."""
        return OpenedBackbone(self.model, self.weights).backbone

    def read(self, file: Path, *, leave_out: Path, anew: bool = False) -> Photos:
        """Make the rows of all photos, or take up those that an interrupted run has made.

        They are made by torch, as all that follows is: another engine's may differ by 1e-4, and the
        head would not begin with the probe's own logits.

        Parameters
        ----------
        file : Path
            Where the rows are kept.
        leave_out : Path
            A folder that is written to, and no source of photos.
        anew : bool, default=False
            Whether rows that are there are made anew where they are of another network, or of
            photos read otherwise; else they are refused.

        Raises
        ------
        UsageError, SourceError, ImageError, BackboneError, EngineError, OutputError
        """
        extraction = Extraction(
            extractor=ExtractorSpec(
                rows=ModelRows(models=(self.model,)),
                weights=self.weights,
                engine=EngineOptions(engine="torch", device=self.device),
                reading=self.reading,
            ),
            listing=self.listing,
            needs_labels=True,
        )
        try:
            features = extraction.to_file(self.images, file, update=file.exists())
        except (RecipeMismatchError, ResumeError):
            if not anew:
                raise
            features = extraction.to_file(self.images, file, overwrite=True, restart=True)
        except UnreadableFileError:
            raise  # it may be as good as it was
        except FeatureFileError as error:
            raise FileFormatError(
                f"{file}, which an interrupted run left, is damaged; give "
                f"{option('restart', True)} to begin anew"
            ) from error
        listing = self.listing.list(
            self.listing.sources(self.images), leave_out=[leave_out], offline=self.weights.offline
        )
        found = {record.id: record for record in listing.records}
        gone = [str(one) for one in features.ids if str(one) not in found]
        if gone:  # since their rows were made
            failures = [Failure(one, "is gone (deleted since it was listed)") for one in gone]
            if self.reading.on_error == "fail":
                raise ImageError(failures[0].line)
            features = replace(
                features.take([k for k, one in enumerate(features.ids) if str(one) in found]),
                failures=(*features.failures, *failures),
            )
        records = [found[str(one)] for one in features.ids]
        log_empty_classes(features)
        features = without_empty_classes(features)
        return Photos(
            features=features,
            rows=read_rows(features, np.arange(len(features))),
            records=records,
        )
