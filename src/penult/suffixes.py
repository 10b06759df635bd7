"""What each output may be called: a name that says something else misleads whoever opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from penult.errors import UsageError
from penult.interface import command
from penult.output_names import refuse_output_name
from penult.rows_folders import ROWS_SUFFIX
from penult.spelling import closest

__all__ = [
    "CHECKPOINT",
    "CLASSIFIER",
    "CLUSTERS",
    "CLUSTER_TABLE",
    "FEATURES",
    "FIGURE",
    "ID_LIST",
    "INDEX",
    "LABEL_TABLE",
    "LOOK",
    "MAP",
    "NETWORK",
    "ONNX",
    "OUTLIERS",
    "PAGE",
    "PICTURE",
    "PREDICTIONS",
    "REPAIRED",
    "ROWS",
    "ROWS_FOLDER",
    "WEIGHTS",
    "Output",
    "require_folder_name",
    "require_suffix",
]

_KNOWN = frozenset(
    {
        *(".csv", ".tsv", ".npz", ".npy", ".parquet", ".pq", ".parq", ".feather", ".arrow"),
        *(".h5", ".hdf5", ".hdf", ".he5", ".mat", ".skops", ".pkl", ".pickle", ".joblib"),
        *(".pt", ".pth", ".ckpt", ".safetensors", ".onnx", ".keras", ".tflite", ".pb", ".xml"),
        *(".penult", ".index", ".rows"),
        *(".json", ".jsonl", ".txt", ".md", ".xls", ".xlsx", ".ods", ".arff", ".yaml", ".yml"),
        *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".svg"),
        *(".pdf", ".html", ".htm", ".zip", ".tar", ".gz", ".tgz", ".db", ".sqlite"),
    }
)
"""Suffixes by which everybody knows what a file holds."""


@dataclass(frozen=True)
class Output:
    """A kind of file that penult writes.

    Attributes
    ----------
    holds : what it is, as a message says it
    suffixes : those that say so; the first is proposed, or all if `strict`
    strict : whether its name has to end in one of them
    elsewhere : suffix of another format to what writes that one: a function, and the format's name
    """

    holds: str
    suffixes: tuple[str, ...]
    strict: bool = False
    elsewhere: Mapping[str, tuple[str, str]] = field(default_factory=dict)


_TABLES = {".csv": "CSV", ".npz": "npz", ".npy": "npz", ".parquet": "Parquet", ".pq": "Parquet"}

FEATURES = Output(
    "HDF5",
    (".h5", ".hdf5", ".hdf", ".he5"),
    elsewhere={suffix: ("export_rows", name) for suffix, name in _TABLES.items()},
)
ROWS_FOLDER = Output("rows part by part, and be a folder", (ROWS_SUFFIX,), strict=True)
CLASSIFIER = Output(
    "a classifier as skops writes it", (".skops",), elsewhere={".onnx": ("export", "ONNX")}
)
CHECKPOINT = Output("a fine-tuned network, and be a folder", (".ckpt",), strict=True)
INDEX = Output("an index to search in", (".index",))
ONNX = Output("ONNX", (".onnx",))
NETWORK = Output(
    "a network, which is known for one by its suffix",
    (".penult", ".ckpt", ".safetensors"),
    strict=True,
)
PAGE = Output("a page for a browser", (".html", ".htm"), strict=True)
REPAIRED = Output(
    "the features with other splits, or a table of them", (".h5", ".hdf5", ".csv"), strict=True
)
LABEL_TABLE = Output("a table of labels", (".csv",), strict=True)
ID_LIST = Output("ids, one a line", (".txt",))
MAP = Output(
    "coordinates, a picture of them, or a page",
    (".csv", ".parquet", ".png", ".svg", ".html"),
    strict=True,
)
FIGURE = Output("a picture of curves", (".png", ".svg"), strict=True)
LOOK = Output("a picture of maps, or their numbers", (".png", ".svg", ".npz"), strict=True)
CLUSTERS = Output("a table of clusters, or a page of them", (".csv", ".html"), strict=True)
CLUSTER_TABLE = Output("a table of clusters", (".csv",), strict=True)
OUTLIERS = Output(
    "a table of outliers, or a page of them", (".csv", ".parquet", ".html"), strict=True
)
PICTURE = Output("PNG, which keeps every pixel as it is", (".png",), strict=True)
WEIGHTS = (".penult", ".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".h5")
"""Of the files of weights that are read."""

ROWS = Output("rows as CSV, npz or Parquet", (".csv", ".npz", ".parquet"), strict=True)
PREDICTIONS = Output("CSV or JSON lines", (".csv", ".jsonl"), strict=True)


_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")


def require_suffix(path: Path, output: Output) -> None:
    """Refuse a name whose suffix says that the file holds something else.

    A name without a suffix, or with one that says nothing (``rows.v2``), is fine unless `output`
    is strict.

    Raises
    ------
    UsageError
        With the name to give instead.
    """
    refuse_output_name(path)
    suffix = path.suffix.lower()
    misspelled = (
        [] if suffix in _KNOWN or suffix[1:].isdigit() else closest(suffix, output.suffixes)
    )
    if suffix in output.suffixes or not (output.strict or suffix in _KNOWN or misspelled):
        return
    stem = path.stem if suffix in _KNOWN or misspelled else path.name
    if output.strict and suffix in _PACKED:  # rows.csv.gz
        stem = Path(path.stem).stem if Path(path.stem).suffix in output.suffixes else path.stem
    proposed = misspelled[:1] or (output.suffixes if output.strict else output.suffixes[:1])
    names = " or ".join(f"{stem}{right}" for right in proposed)
    message = f"{path} would hold {output.holds}; name it {names}"
    if suffix in output.elsewhere:
        function, format = output.elsewhere[suffix]
        message += f" ({command(function)} writes {format})"
    raise UsageError(message)


def require_folder_name(path: Path, holds: str, *, name: str | None = None) -> None:
    """Refuse the name of a folder that is to be made, if it is that of a file.

    Parameters
    ----------
    holds : what the folder would hold, e.g. ``"the page index.html"``
    name : of the option that it was given to, as for `refuse_output_name`

    Raises
    ------
    UsageError
        With the name to give instead.
    """
    refuse_output_name(path, is_folder=True, name=name)
    if path.suffix.lower() in _KNOWN and not path.is_dir():
        raise UsageError(f"{path} would be a folder, with {holds} in it; name it {path.stem}")
