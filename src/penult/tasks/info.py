"""What a file of penult's holds, and how it was made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from penult.backbones.checkpoint_folder import is_checkpoint_folder, is_unfinished
from penult.checking import checked
from penult.errors import WrongFileError
from penult.features.origin import every_origin
from penult.features.places import rows_address
from penult.file_kinds import HDF5, ZIP, refuse_other_kind
from penult.inputs import open_file, require_file
from penult.records import in_words
from penult.representation import html_table, one_line, short_repr, short_text
from penult.retrieve.index_file.container import MAGIC
from penult.suffixes import CLASSIFIER, FEATURES, INDEX, NETWORK
from penult.wording import count, listed, times

if TYPE_CHECKING:
    from penult.classify.settings import TrainingSettings
    from penult.likeness import Likeness
    from penult.recipe import Recipe
    from penult.records import Failure, Scores

__all__ = ["ClassifierInfo", "ConvertedInfo", "FeaturesInfo", "IndexInfo", "Int8Info", "info"]

_KINDS = (
    "a feature file, a folder of rows, a classifier file, an index, or a network that quantize, "
    "convert or finetune wrote"
)


@dataclass(frozen=True, kw_only=True)
class FeaturesInfo:
    """What a feature file says of itself.

    Attributes
    ----------
    kind : {"features"}
        What the file is.
    shape : tuple of int
        Of the rows of the last layer.
    dtype : str
        Of these rows.
    layers : tuple of str
        In execution order.
    recipe : Recipe
        Of the last layer's rows.
    recipes : tuple of Recipe
        Of the rows of each layer.
    shapes : tuple of tuple of int
        Of the rows of each layer.
    classes : mapping of str to int
        Label to number of images.
    unlabelled : int
        Images without a label; of those with several labels, none is counted here.
    several : bool
        Whether some images have several labels.
    splits : mapping of str to int, or None
        Split to number of images, "" for those of none; None where the file has no splits.
    failures : tuple of Failure
        The images that have no row.
    origin : mapping
        Where the images came from; see `Features`.
    contradictions : tuple of str
        Images that are one file under several labels, a sentence each.
    augmented : int
        Rows of augmented views of the images, beside theirs.
    augmentation : mapping or None
        How they were made: ``policy`` and ``seed``.
    trained_network : int or None
        How many of the images trained the network that made the last layer's rows; None where that
        is not known, as of all networks that were not fine-tuned.
    bytes : int
        Of the file, or of all parts of a folder of rows.
    parts, part_images : int or None
        How many parts a folder of rows has, and how many images each of them but the last; None
        of a file.
    part_format : {"h5", "parquet"} or None
        Of the parts.
    """

    kind: Literal["features"] = "features"
    shape: tuple[int, ...]
    dtype: str
    layers: tuple[str, ...]
    recipe: Recipe
    recipes: tuple[Recipe, ...]
    shapes: tuple[tuple[int, ...], ...]
    classes: Mapping[str, int]
    unlabelled: int
    several: bool
    splits: Mapping[str, int] | None
    failures: tuple[Failure, ...]
    origin: Mapping[str, Any]
    contradictions: tuple[str, ...] = ()
    augmented: int = 0
    augmentation: Mapping[str, Any] | None = None
    trained_network: int | None = None
    bytes: int = 0
    parts: int | None = None
    part_images: int | None = None
    part_format: Literal["h5", "parquet"] | None = None

    @property
    def part_words(self) -> str | None:
        """How a folder of rows is divided, in words; None of a file."""
        if self.parts is None or self.part_images is None:
            return None
        parts = f"{count(self.parts, 'part')} of up to {count(self.part_images, 'image')}"
        return f"{parts} ({self.part_format}), {self.bytes / 1e6:,.1f} MB"

    def __repr__(self) -> str:
        more = f" and {count(self.augmented, 'augmented row')}" if self.augmented else ""
        rows = f"{count(self.shape[0], 'row')} of {times(self.shape[1:])} {self.dtype}{more}"
        facts = [
            ("rows", rows),
            ("classes", count(sum(map(bool, self.classes.values())), "class")),
            ("network", short_text(self.recipe.network)),
            ("layer", listed(map(short_text, self.layers), 3)),
            ("failed", f"{len(self.failures):,} failed" if self.failures else None),
        ]
        return one_line("FeaturesInfo", facts)

    def _repr_html_(self) -> str:
        origins = every_origin(self.origin)
        sources = [str(name) for one in origins for name in one.get("sources", ())]
        facts = [
            ("rows", f"{times(self.shape)} {self.dtype}"),
            ("parts", self.part_words),
            ("network", self.recipe.network),
            ("layers", listed(self.layers)),
            ("augmented rows", f"{self.augmented:,}" if self.augmented else None),
            (
                "trained the network",
                None if self.trained_network is None else f"{self.trained_network:,}",
            ),
            ("without a label", f"{self.unlabelled:,}" if self.unlabelled else None),
            ("failed", f"{len(self.failures):,}" if self.failures else None),
            ("made from", listed(sources, 5) or None),
        ]
        kind = "Feature file" if self.parts is None else "Folder of rows"
        return html_table(kind, facts, [("class", "images"), *self.classes.items()])


@dataclass(frozen=True, kw_only=True)
class ClassifierInfo:
    """What a classifier file says of itself.

    Attributes
    ----------
    kind : {"classifier"}
        What the file is.
    classes : mapping of str to int
        Label to number of training images.
    recipe : Recipe
        How its rows are made.
    scores : Scores
        On the held-out images.
    settings : TrainingSettings
        How it was trained.
    versions : mapping of str to str
        Library to version, of the run that trained it.
    likeness : Likeness or None
        What tells photos like those that trained it from others; None where it does not know.
    """

    kind: Literal["classifier"] = "classifier"
    classes: Mapping[str, int]
    recipe: Recipe
    scores: Scores
    settings: TrainingSettings
    versions: Mapping[str, str]
    likeness: Likeness | None = None

    @property
    def layer(self) -> str:
        """The name, in their feature file, of the rows that it was trained on."""
        return self.settings.layer or self.recipe.layer

    def __repr__(self) -> str:
        facts = [
            ("kind", short_text(self.settings.classifier)),
            ("classes", count(len(self.classes), "class")),
            ("network", short_text(self.recipe.network)),
            ("layer", short_text(self.layer)),
            ("held out", in_words(self.scores)),
        ]
        return one_line("ClassifierInfo", facts)

    def _repr_html_(self) -> str:
        facts = [
            ("network", self.recipe.network),
            ("layer", self.layer),
            ("kind", self.settings.classifier),
            ("held out", in_words(self.scores)),
        ]
        table = [("class", "training images"), *self.classes.items()]
        return html_table("Classifier file", facts, table)


@short_repr
@dataclass(frozen=True, kw_only=True)
class IndexInfo:
    """What an index says of itself.

    Attributes
    ----------
    kind : {"index"}
        What the file is.
    searched_by : {"flat", "hnsw", "ivfpq"}
        Exact search, a graph, or compressed codes.
    metric : {"cosine", "euclidean"}
        How near two rows are.
    shape : tuple of int
        Of its rows.
    dtype : str
        Of these rows.
    layer : str or None
        What they are called; None of an index of plain arrays.
    recipe : Recipe or None
        How they were made.
    classes : mapping of str to int
        Label to number of images; without those of which all rows were removed.
    recall : float or None
        Of what exact search finds, the share that it finds; None where search is exact.
    rows_removed : int
        Rows that were taken out.
    lines : tuple of str
        Why it is of its kind, how much of what is near it finds, and how it is stale.
    stale : bool
        Whether the features that it was made of have changed since, so that it is not searched.
    likeness : Likeness or None
        From what on a photo is called unlike its rows; None of plain arrays, of fewer than six
        images, and of an index from an older penult, of which it is computed when it is opened.
    """

    kind: Literal["index"] = "index"
    searched_by: Literal["flat", "hnsw", "ivfpq"]
    metric: Literal["cosine", "euclidean"]
    shape: tuple[int, ...]
    dtype: str
    layer: str | None
    recipe: Recipe | None
    classes: Mapping[str, int]
    recall: float | None
    rows_removed: int
    lines: tuple[str, ...]
    stale: bool = False
    likeness: Likeness | None = None

    def _repr_html_(self) -> str:
        facts = [
            ("rows", f"{times(self.shape)} {self.dtype}"),
            ("searched by", f"{self.searched_by}, {self.metric}"),
            ("network", None if self.recipe is None else self.recipe.network),
            ("layer", self.layer),
            *((" ", line) for line in self.lines),
        ]
        return html_table("Index", facts, [("class", "images"), *self.classes.items()])


@dataclass(frozen=True, kw_only=True)
class Int8Info:
    """What an int8 checkpoint says of itself.

    Attributes
    ----------
    kind : {"int8"}
        What the file is.
    architecture : str
        What it was made from.
    layers : tuple of str
        The layers that it has.
    sha256 : str
        Hex digest over everything that a row depends on.
    card : mapping
        How it was made and how good it is; see `Quantization`.
    """

    kind: Literal["int8"] = "int8"
    architecture: str
    layers: tuple[str, ...]
    sha256: str
    card: Mapping[str, Any]

    def __repr__(self) -> str:
        facts = [
            ("made from", short_text(self.architecture)),
            ("layer", listed(map(short_text, self.layers), 3)),
        ]
        return one_line("Int8Info", facts)

    def _repr_html_(self) -> str:
        facts = [("made from", self.architecture), ("layers", listed(self.layers))]
        return html_table("int8 checkpoint", facts)


@short_repr
@dataclass(frozen=True, kw_only=True)
class ConvertedInfo:
    """What a file of ``penult convert`` says of itself.

    Attributes
    ----------
    kind : {"converted"}
        What the file is.
    architecture : str
        Of the network whose rows it gives.
    layers : tuple of str
        The layers that it has.
    sha256 : str
        Hex digest over everything that a row depends on.
    card : mapping
        What it was made from, and how it was checked; see `Converted`.
    """

    kind: Literal["converted"] = "converted"
    architecture: str
    layers: tuple[str, ...]
    sha256: str
    card: Mapping[str, Any]

    def _repr_html_(self) -> str:
        facts = [("made from", self.architecture), ("layers", listed(self.layers))]
        return html_table("Converted network", facts)


@checked
def info(
    file: str | Path,
) -> FeaturesInfo | ClassifierInfo | IndexInfo | Int8Info | ConvertedInfo:
    """Say what a feature file, a classifier, an index or a network holds, and how it was made.

    Such a network is one in a file that ``penult quantize`` or ``penult convert`` wrote. Of the
    folder of a fine-tuned network, it says what its classifier is.

    Parameters
    ----------
    file : path
        The file, or the folder.

    Returns
    -------
    FeaturesInfo, ClassifierInfo, IndexInfo, Int8Info or ConvertedInfo
        Its ``kind`` says which.

    Raises
    ------
    PathNotFoundError
        If there is no such file.
    WrongFileError
        If it is a folder, or none of these.
    FileFormatError
        If it is damaged, or from a newer penult.
    """
    suffixes = (
        *FEATURES.suffixes,
        *CLASSIFIER.suffixes,
        *INDEX.suffixes,
        NETWORK.suffixes[0],
    )
    if is_checkpoint_folder(file) or is_unfinished(file):
        return _classifier(Path(file))
    if rows_address(file) is not None:
        return _features(file)
    path = Path(file)
    if path.is_dir():
        refuse_other_kind(path, "described")
    require_file(path, "a file of penult's", suffixes, f"give {_KINDS}")
    with open_file(path) as opened:
        head = opened.read(len(HDF5))
    if head.startswith(ZIP):
        return _classifier(path)
    from penult.backbones.graph_file import is_graph_file

    if is_graph_file(path):
        return _network(path)
    if head == MAGIC:
        return _index(path)
    if not head and path.suffix.lower() not in suffixes:
        raise WrongFileError(f"{file} is empty (0 bytes); give {_KINDS}")
    if head and head != HDF5:
        refuse_other_kind(path, "described")
        raise WrongFileError(f"{file} is another kind of file; give {_KINDS}")
    return _features(path)


def _classifier(path: Path) -> ClassifierInfo:
    from penult.classify.loading import describe_classifier

    described = describe_classifier(path)
    return ClassifierInfo(
        classes=described.images_per_class(),
        recipe=described.recipe,
        scores=described.scores,
        settings=described.settings,
        versions=described.versions,
        likeness=described.likeness,
    )


def _network(path: Path) -> Int8Info | ConvertedInfo:
    from penult.backbones.graph_file import read_graph_file

    found = read_graph_file(path)
    graph, in_float = found.graph, found.graph.original is not None
    kind = ConvertedInfo if in_float else Int8Info
    return kind(
        architecture=graph.architecture if in_float else f"int8/{graph.architecture}",
        layers=tuple(layer.name for layer in graph.layers),
        sha256=found.sha256,
        card=dict(found.card),
    )


def _index(path: Path) -> IndexInfo:
    from penult.retrieve.index import Index

    found, stale = Index._opened(path)
    features = found.features
    classes = {} if features is None else features.images_per_class()
    return IndexInfo(
        searched_by=found.kind,
        metric=found.metric,
        shape=tuple(found.rows.shape),
        dtype=str(found.rows.dtype),
        layer=None if features is None else features.name,
        recipe=found.recipe,
        classes={label: images for label, images in classes.items() if images},
        recall=None if found.recall is None else found.recall.value,
        rows_removed=len(found.removed),
        lines=(*found.lines, *([f"stale: {stale}"] if stale else [])),
        stale=bool(stale),
        likeness=found.stored_likeness,
    )


def _features(path: str | Path) -> FeaturesInfo:
    from penult.features.contradictions import find_contradictions
    from penult.features.read import layer_recipes, load
    from penult.partition.stratification import is_labelled

    features = load(path)
    recipes, shapes = zip(*layer_recipes(path).values(), strict=True)
    labels = features.labels if features.targets is None else features.targets
    augmented, trained = features.augmented, features.trained_network
    return FeaturesInfo(
        shape=features.features.shape,
        dtype=str(features.features.dtype),
        layers=features.layers,
        recipe=features.recipe,
        recipes=recipes,
        shapes=shapes,
        classes=features.images_per_class(),
        unlabelled=int((~is_labelled(labels)).sum()),
        several=features.targets is not None,
        splits=None if features.splits is None else dict(Counter(map(str, features.splits))),
        failures=features.failures,
        origin=features.origin,
        contradictions=find_contradictions(features),
        augmented=0 if augmented is None else len(augmented),
        augmentation=None if augmented is None else augmented.recipe.settings(),
        trained_network=None if trained is None else int(trained.sum()),
        **_size(path),
    )


def _size(path: str | Path) -> dict[str, Any]:
    address = rows_address(path)
    if address is None:
        return {"bytes": Path(path).stat().st_size}
    from penult.features.parts.manifest import PartsManifest
    from penult.features.parts.store import PartsStore

    manifest = PartsManifest.read(PartsStore.at(address))
    return {
        "bytes": sum(part.nbytes for part in manifest.parts),
        "parts": len(manifest.parts),
        "part_images": manifest.part_images,
        "part_format": manifest.part_format,
    }
