"""Small real image sets for a first try, written from data that an installed library brings."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from penult.errors import OutputExistsError, UnknownNameError
from penult.output import explain
from penult.scratch import scratch_folder, sweep
from penult.suffixes import require_folder_name

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["SAMPLES", "Sample", "find_sample", "write_digits"]

DIGIT_SIDE = 80


@dataclass(frozen=True)
class Sample:
    """An image set that `write` puts into a folder, one folder a class.

    Attributes
    ----------
    summary : what it holds, in one line
    write : called with the folder to fill; returns the number of images in it
    """

    summary: str
    write: Callable[[Path], int]


def find_sample(name: str) -> Sample:
    """Look a sample up by its name.

    Raises
    ------
    UnknownNameError
        Lists the names there are.
    """
    try:
        return SAMPLES[name]
    except KeyError:
        raise UnknownNameError("sample", name, SAMPLES) from None


def write_digits(directory: Path) -> int:
    """Write scikit-learn's handwritten digits as PNG files in ten class folders.

    The set is the test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and
    C. Kaynak, UCI Machine Learning Repository, 1998): 8×8 counts of ink from 0 to 16. They are
    drawn as dark ink on white paper with a margin, and enlarged smoothly to 80×80, so that they
    look like writing.

    Parameters
    ----------
    directory : created if need be, with its parents; appears whole or not at all. One that already
        holds exactly these images is left as it is.

    Returns
    -------
    int
        The number of images, 1797.

    Raises
    ------
    OutputExistsError
        If the folder holds anything else.
    OutputError
        If it cannot be written.
    """
    if directory.exists() and not directory.is_dir():
        raise OutputExistsError(f"{directory} is a file; give the name of a folder to fill")
    require_folder_name(directory, "a folder a class")
    if directory.is_dir() and any(directory.iterdir()):
        return _require_digits(directory)
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        sweep(directory.parent, directory.name)
        staging = scratch_folder(directory.parent, directory.name)
        try:
            whole = staging / "images"
            count = 0
            for name, image in _digits():
                (whole / name).parent.mkdir(parents=True, exist_ok=True)
                image.save(whole / name)
                count += 1
            if directory.is_dir():
                directory.rmdir()  # empty, as seen above; fails, rightly, if it no longer is
            whole.rename(directory)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise explain(error, directory) from error
    return count


def _digits() -> Iterator[tuple[str, Image.Image]]:
    """Yield each digit as (relative path, 80×80 grey image)."""
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for index, (ink, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        # The strokes touch the edges, and a network's centre crop would cut their ends off.
        paper = np.rint(255 - np.pad(ink, 1) * (255 / 16)).astype(np.uint8)
        # Bicubic keeps the strokes' edges; nearest would show squares, not writing.
        image = Image.fromarray(paper).resize((DIGIT_SIDE,) * 2, Image.Resampling.BICUBIC)
        yield f"{label}/digit_{index:04}.png", image


def _require_digits(directory: Path) -> int:
    """Return the number of digits in `directory`, or refuse it if it holds anything else."""
    expected = dict(_digits())
    found = {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}
    same = found == expected.keys() and all(
        _shows(directory / name, image) for name, image in expected.items()
    )
    if not same:
        raise OutputExistsError(
            f"{directory} exists and holds something else than the sample; "
            f"empty it, or give another folder"
        )
    return len(expected)


def _shows(path: Path, image: Image.Image) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as written:
            return written.tobytes() == image.tobytes()
    except OSError:
        return False


SAMPLES: dict[str, Sample] = {
    "digits": Sample("1,797 handwritten digits in 10 classes (scikit-learn)", write_digits),
}
