"""The contract of a family of backbones behind one prefix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

from penult.errors import MissingExtraError

if TYPE_CHECKING:
    from penult.backbones.backbone import Backbone
    from penult.backbones.info import ModelInfo
    from penult.backbones.weights.choice import WeightsChoice

__all__ = ["BackboneSource", "missing_extra"]


class BackboneSource(ABC):
    """A family of backbones behind one prefix; third parties add theirs by entry point.

    It is made without arguments, and importing its module has to be cheap: no torch, no library of
    networks.

    Attributes
    ----------
    prefix : str
        What stands before the colon in ``prefix:name``.
    cached : bool
        Whether the metadata of its backbones may be kept on disk, so that the next run need not
        open them: their names mean the same as long as weights and libraries are the same.
    names_are_paths : bool
        Whether its names are paths of files with their own weights.
    """

    prefix: str
    cached: ClassVar[bool] = False
    names_are_paths: ClassVar[bool] = False

    def require(self, what: str) -> None:  # noqa: B027
        """Refuse what this source has where an extra that all of it needs is not installed.

        `open` begins with it, and what is refused is not listed by ``penult models``. By default,
        nothing is.

        Parameters
        ----------
        what : str
            What was asked for, for the message.

        Raises
        ------
        MissingExtraError
            If it is not installed.
        """

    def lacking(self) -> Mapping[str, str]:
        """Those of its `names` that need an extra that is not installed, each with that extra.

        They are not listed by ``penult models``, which says what to install for them. What all of
        a source needs is for `require` to say. By default, none is lacking.

        Returns
        -------
        mapping of str to str
            Name, without the prefix, to extra.
        """
        return {}

    @abstractmethod
    def names(self) -> Iterable[str]:
        """The names that are known, without the prefix; may be empty (files, hubs)."""

    @abstractmethod
    def models(self) -> Iterable[ModelInfo]:
        """What is known of each backbone that can be listed, without opening any."""

    @abstractmethod
    def open(self, name: str, choice: WeightsChoice) -> Backbone:
        """Find the backbone of that name and its weights.

        The weights are there and have the digest that the metadata says when this returns; the
        network is built when the backbone first needs it.

        Parameters
        ----------
        name : str
            Without the prefix, as the user typed it.
        choice : WeightsChoice
            Other weights than the pretrained ones, whether they may be downloaded, and for what
            preprocessing the network is to be built.

        Returns
        -------
        Backbone
            Its network is built when it is first needed.

        Raises
        ------
        UnknownNameError, WeightsError, MissingExtraError
            If there is no such name, its weights cannot be had, or an extra is needed for it.
        """

    def knows(self, name: str) -> bool:
        """Whether a bare `name` (without a prefix) is one of this source's."""
        return name in set(self.names())


def missing_extra(source: BackboneSource) -> MissingExtraError | None:
    """The refusal of all that a source has, where its extra is not installed."""
    try:
        source.require(f"{source.prefix}:")
    except MissingExtraError as error:
        return error
    return None
