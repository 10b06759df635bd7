"""What an open HDF5 file says, if it is a feature file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penult.errors import FeatureFileError, UnknownNameError, WrongFileError
from penult.features import schema
from penult.features.origin import read_origin
from penult.inputs import refuse_unread
from penult.interface import command
from penult.recipe import Recipe
from penult.records import Failure, Features

if TYPE_CHECKING:
    from penult.features.rows import RowsOnDisk

__all__ = ["find_rows", "make_one", "read", "read_layers"]

_SPLITS = {"train", "validation", "test", ""}
_DIGESTS = (0, 32)  # how long a digest may be


def make_one(given: Path | None = None) -> str:
    """Say how to get a feature file; of the images in what was given, where that is a folder."""
    images, output = "IMAGES", "features.h5"
    if given is not None and given.is_dir():
        images, output = str(given), f"{given.name or 'features'}.h5"
    return f"make one with: {command('extract', images, output=output)}"


def read(file: Any, layer: str | None = None, *, name: str) -> Features:
    """Read an open h5py file; `name` is what messages call it.

    Raises
    ------
    FeatureFileError, UnknownNameError
    """
    layers = read_layers(file, name=name)
    shown = list(layers)[-1] if layer is None else _shown(layer, layers, name)
    with _told(name):
        return _features(file, layers, shown)


def _shown(layer: str, layers: Mapping[str, RowsOnDisk], name: str) -> str:
    found = find_rows(layer, {name: rows.recipe for name, rows in layers.items()})
    if found is None:
        raise UnknownNameError(f"layer in {name}", layer, layers)
    return found


def find_rows(asked: str, recipes: Mapping[str, Recipe]) -> str | None:
    """Which rows are meant, by their name, or by the layer that only they are of.

    Parameters
    ----------
    recipes : of all rows that there are, by name
    """
    if asked in recipes:
        return asked
    of_layer = [name for name, recipe in recipes.items() if recipe.layer == asked]
    return of_layer[0] if len(of_layer) == 1 else None


def read_layers(file: Any, *, name: str) -> dict[str, RowsOnDisk]:
    """Name to rows, in execution order, of an open file.

    Raises
    ------
    FeatureFileError
    """
    with _told(name):
        return _layers(file, name, _format(file, name))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Turn whatever is raised over a damaged or hostile file into one line."""
    from penult.features.column import Refused
    from penult.features.rows import plain_cause

    try:
        yield
    except Refused as refused:
        raise FeatureFileError(f"{name} {refused}; {make_one()}") from refused
    except FeatureFileError:
        raise
    except Exception as error:  # HDF5, h5py, numpy and json raise what they like
        refuse_unread(name, error)
        lines = str(error.args[0] if error.args else error).splitlines()
        cause = plain_cause(lines[0]) if lines else type(error).__name__
        raise FeatureFileError(f"{name} is damaged or incomplete: {cause}; {make_one()}") from error


def _format(file: Any, name: str) -> int:
    try:
        found = int(file.attrs["format"])
    except (KeyError, TypeError, ValueError) as error:
        raise WrongFileError(
            f"{name} is an HDF5 file, but not a feature file of penult's; {make_one()}"
        ) from error
    if found > schema.FORMAT:
        raise FeatureFileError(
            f"{name} has format {found}; this penult reads up to {schema.FORMAT}; "
            f"type: pip install --upgrade penult"
        )
    return found


def _layers(file: Any, name: str, number: int) -> dict[str, RowsOnDisk]:
    from penult.features.column import ROWS, Refused, dataset_at, has, read_text
    from penult.features.projections import projections_of, read_projections
    from penult.features.rows import RowsOnDisk

    if not has(file, schema.FEATURES):
        raise KeyError(f"it has no {schema.FEATURES}")
    datasets = [dataset_at(group, key, ROWS) for group, key in _places(file)]
    if len(datasets) > 1:
        datasets.sort(key=lambda rows: int(rows.attrs["position"]))
    for rows in datasets:
        if 0 in rows.shape:
            raise Refused("is damaged: it has no rows")
    projections = read_projections(file)
    layers: dict[str, RowsOnDisk] = {}
    for rows in datasets:
        recipe = Recipe.from_json(read_text(rows, "recipe"), projections)
        projections_of([recipe])  # all of them are there
        width = getattr(recipe, "components", None)
        if width is not None and rows.shape[1:] != (width,):
            raise Refused(f"is damaged: rows of {rows.shape[1:]} are no projection to {width}")
        named = recipe.layer if number <= schema.FIRST_FORMAT else read_text(rows, "name")
        layers[named] = RowsOnDisk(rows, name, recipe)
    if len(layers) < len(datasets) or not layers:
        raise Refused(f"is damaged: it has {len(datasets)} datasets of {len(layers)} layers")
    return layers


def _places(file: Any) -> Iterator[tuple[Any, str]]:
    """Where in the file the rows of each layer are: a group, and a name in it."""
    import h5py

    from penult.features.column import Refused, find, has

    if not has(file, schema.LAYERS):
        yield file, schema.FEATURES
        return
    # Older penults made groups in groups of a name with slashes.
    groups, seen = [find(file, schema.LAYERS)], set[int]()
    while groups:
        group = groups.pop()
        is_group = isinstance(group, h5py.Group)
        address = h5py.h5o.get_info(group.id).addr if is_group else 0
        if not is_group or address in seen:
            raise Refused(f"is damaged: its {schema.LAYERS} is no group of datasets")
        seen.add(address)
        for key in group:
            if isinstance(find(group, key), h5py.Group):
                groups.append(group[key])
            else:
                yield group, key


def _features(file: Any, layers: Mapping[str, RowsOnDisk], name: str) -> Features:
    from penult.features import column as c
    from penult.features.augmented import read_augmented

    rows = layers[name]
    kinds = {
        schema.IDS: c.TEXTS,
        schema.LABELS: c.NUMBERS,
        schema.TARGETS: c.FLAGS,
        schema.SPLITS: c.TEXTS,
        schema.GROUPS: c.TEXTS,
        schema.CONTENT: c.TEXTS,
    }
    optional = kinds.keys() - {schema.IDS, schema.LABELS}
    columns = {
        column: c.dataset_at(file, column, kind)
        for column, kind in kinds.items()
        if column not in optional or c.has(file, column)
    }
    trained = _trained(file, name)
    if trained is not None:
        columns[schema.TRAINED], kinds[schema.TRAINED] = trained, c.FLAG
    label_names = c.dataset_at(file, schema.LABEL_NAMES, c.TEXTS)
    failures = c.dataset_at(file, schema.FAILURES, c.PAIRS)
    lengths = {len(column) for column in (*layers.values(), *columns.values())}
    if len(lengths) > 1:
        raise c.Refused(f"is damaged: its columns have {sorted(lengths)} rows")
    augmented = read_augmented(file, layers)
    # Up to here nothing was read but what the file says of itself.
    texts = {
        place: c.read_texts(column, _DIGESTS if place == schema.CONTENT else None)
        for place, column in columns.items()
        if kinds[place] is c.TEXTS
    }
    targets = columns.get(schema.TARGETS)
    features = Features(
        features=rows,
        ids=texts[schema.IDS],
        labels=columns[schema.LABELS][:],
        label_names=tuple(c.read_texts(label_names)),
        recipe=rows.recipe,
        targets=None if targets is None else targets[:],
        splits=texts.get(schema.SPLITS),
        groups=texts.get(schema.GROUPS),
        content=texts.get(schema.CONTENT),
        failures=tuple(Failure(*pair) for pair in c.read_pairs(failures)),
        layers=tuple(layers),
        origin=read_origin(c.read_text(file, "origin")),
        name=name,
        augmented=augmented.get(name),
        trained_network=None if trained is None else trained[:],
    )
    if problem := _nonsense(features):
        raise c.Refused(f"is damaged: {problem}")
    return features


def _trained(file: Any, name: str) -> Any:
    """Find the column that says which images trained the network of these rows, if there is one."""
    from penult.features import column as c

    if not c.has(file, schema.TRAINED):
        return None
    group, key = c.group_at(file, schema.TRAINED), schema.link_name(name)
    return c.dataset_at(group, key, c.FLAG) if c.has(group, key) else None


def _nonsense(features: Features) -> str | None:
    """What no feature file says, and would lead astray later."""
    count = len(features.label_names)
    labels, targets = features.labels, features.targets
    if len(labels) and not (labels.min() >= -1 and labels.max() < count):
        return f"labels from {labels.min()} to {labels.max()} of {count} names"
    if len(set(features.label_names)) < count:
        return "two labels have one name"
    if targets is not None and targets.shape[1] != count:
        return f"{targets.shape[1]} targets of {count} names"
    if strange := set(features.splits or ()) - _SPLITS:
        return f"a split {min(strange)[:40]!r}"
    return None
