"""What a network sees of an image, as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penult.backbones.registry import open_without_download
from penult.backbones.weights.choice import WeightsChoice
from penult.checking import checked
from penult.inputs import require_file
from penult.output import atomic_output, check_output
from penult.preview import in_words, network_input
from penult.representation import short_repr
from penult.suffixes import PICTURE
from penult.written import note_written

__all__ = ["ShownInput", "show_input"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class ShownInput:
    """A picture of what a network sees.

    Attributes
    ----------
    output : Path
        The picture.
    backbone : str
        The network, in words.
    width, height : int
        Of the picture, in pixels.
    steps : tuple of str
        What was done to the image, in order.
    """

    output: Path
    backbone: str
    width: int
    height: int
    steps: tuple[str, ...]


@checked
def show_input(
    model: str,
    image: str | Path,
    output: str | Path,
    *,
    normalized: bool = False,
    architecture: str | None = None,
    overwrite: bool = False,
) -> ShownInput:
    """Write what a network sees of an image after its preprocessing, as a picture.

    Needs no weights: none are downloaded.

    Parameters
    ----------
    model : str
        Backbone, as listed by `penult.models`.
    image : path
        Image file.
    output : path
        Picture to write, a ``.png`` file.
    normalized : bool, default=False
        Show the numbers that go into the network, from black to white, instead of the pixels.
    architecture : str, optional
        For a plain state dict (``checkpoint:PATH``), the backbone that it fits.
    overwrite : bool, default=False
        Replace `output` if it exists.

    Returns
    -------
    ShownInput
        What is in the picture.

    Raises
    ------
    UsageError
        If `output` is no ``.png`` file.
    OutputExistsError, OutputError
        If it cannot be written.
    PathNotFoundError, WrongFileError
        If there is no such image, or it is a folder.
    ImageError
        If the image cannot be read.
    UnknownNameError, WeightsError, MissingExtraError
        If the network cannot be had.
    """
    target = Path(output)
    check_output(target, overwrite=overwrite, inputs=[Path(image)], output=PICTURE)
    backbone = open_without_download(model, WeightsChoice(architecture=architecture))
    require_file(Path(image), "an image file", (".jpg", ".jpeg", ".png"))
    picture = network_input(image, backbone.preprocessing, normalized=normalized)
    with atomic_output(target, overwrite=overwrite) as temporary:
        picture.save(temporary, format="PNG")
    note_written(target.parent, target)
    width, height = picture.size
    return ShownInput(
        output=target,
        backbone=backbone.described,
        width=width,
        height=height,
        steps=tuple(in_words(backbone.preprocessing)),
    )
