"""Every error penult raises on purpose, drawn as a tree.

PenultError
├── UsageError (ValueError)              what was asked for cannot be right, whatever the files hold
│   ├── PathNotFoundError (FileNotFoundError)
│   ├── OutputExistsError (FileExistsError)
│   ├── ResumeError                      an interrupted run cannot be gone on with as asked
│   ├── UndoError                        a change of labels that there is not, or not any more
│   ├── UnknownNameError (KeyError)      a model, layer or option value; carries suggestions
│   ├── WrongFileError                   a folder, or a file of another kind, where one is wanted
│   └── MissingExtraError (ImportError)  an optional dependency is not installed; names the extra
├── ImageError (ValueError)              one image cannot become pixels; caught per image
├── SourceError (ValueError)             no image to be had from what was given
├── BackboneError (RuntimeError)         a network cannot be built, loaded or cut at a layer
│   └── WeightsError                     its weights cannot be had, or are not what they claim
├── EngineError (RuntimeError)           a network cannot be run here
├── FileFormatError (ValueError)         a file is not what its name says, truncated, or newer
│   ├── FeatureFileError
│   ├── ClassifierFileError
│   ├── IndexFileError
│   ├── LabelLogError
│   └── UnreadableFileError (OSError)    a file that is there cannot be read; of whatever kind it is
├── RecipeMismatchError (ValueError)     rows of two recipes were about to meet; says where
├── TrainingError (ValueError)           a classifier cannot be trained from these rows
├── SearchError (ValueError)             these rows cannot be searched, or searched for
├── ServiceError (RuntimeError)          a service has refused a call, or cannot be reached
├── ClusterError (RuntimeError)          a cluster cannot be reached, or its workers cannot work
├── DatabaseError (RuntimeError)         a database refuses, lacks something, or cannot be reached
└── OutputError (OSError)                a result cannot be written: disk full, read-only

Each inherits from the builtin that a caller would have caught anyway. A message is one line that
says what was given, what is allowed, and what to type next. `exit_code` is what the command line
returns: 2 for usage, 1 for failure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from penult.messages import printable
from penult.passwords import without_passwords
from penult.spelling import closest

__all__ = [
    "BackboneError",
    "ClassifierFileError",
    "ClusterError",
    "DatabaseError",
    "EngineError",
    "FeatureFileError",
    "FileFormatError",
    "ImageError",
    "IndexFileError",
    "LabelLogError",
    "MissingExtraError",
    "OutputError",
    "OutputExistsError",
    "PathNotFoundError",
    "PenultError",
    "RecipeMismatchError",
    "ResumeError",
    "SearchError",
    "ServiceError",
    "SourceError",
    "TrainingError",
    "UndoError",
    "UnknownNameError",
    "UnreadableFileError",
    "UsageError",
    "WeightsError",
    "WrongFileError",
]


_SUGGESTED = 3


class PenultError(Exception):
    """The base of every error penult raises on purpose.

    Attributes
    ----------
    exit_code : int
        What the command line returns: 1 for a failure, 2 for what was asked for in error.
    """

    exit_code = 1

    def __str__(self) -> str:
        """The message alone, one line that is safe to show: names in it are other people's.

        Addresses in it have no passwords.
        """
        # KeyError and OSError print their arguments in their own ways; a message is a message.
        return printable(without_passwords(str(self.args[0]))) if self.args else ""


def _remade(
    kind: type[PenultError], anything: tuple[Any, ...], args: tuple[Any, ...]
) -> PenultError:
    # An error is unpickled by calling its class with its message, and some classes take something
    # else: raised by a worker process, those would not reach its parent, which waits for ever.
    error = kind(*anything)
    error.args = args
    return error


class UsageError(PenultError, ValueError):
    """What was asked for cannot be right, whatever the files hold."""

    exit_code = 2


class PathNotFoundError(UsageError, FileNotFoundError):
    """A path that was given does not exist."""


class OutputExistsError(UsageError, FileExistsError):
    """The output exists and overwriting it was not asked for."""


class ResumeError(UsageError):
    """An interrupted run is there, and what was asked for would not go on with it."""


class UndoError(UsageError):
    """A change of labels cannot be undone: there is none, or it was undone, or others followed."""


class UnknownNameError(UsageError, KeyError):
    """A name that is not among the allowed ones.

    Parameters
    ----------
    kind : str
        What the name should have named, e.g. ``"model"``, ``"layer of resnet18"``.
    name : object
        What was given.
    allowed : iterable of str
        Every allowed name; close ones are suggested, and a short list is shown whole.
    hint : str, optional
        What to type next, e.g. ``"penult models"``.
    meant : iterable of str, optional
        Names that are surely meant, however they are spelled; others are suggested only where
        there are none.
    every : str, optional
        What says all allowed names, or their number; left out where the message lists them anyway.

    Attributes
    ----------
    suggestions : list of str
        What was meant; or else the allowed names that have `name` in them as a word, or that are
        close to it.
    """

    def __init__(
        self,
        kind: str,
        name: object,
        allowed: Iterable[str],
        hint: str = "",
        *,
        meant: Iterable[str] = (),
        every: str = "",
    ) -> None:
        known = list(allowed)
        self.suggestions = list(meant) or _suggestions(str(name).lower(), known)
        noun, preposition, whole = re.split(r"( of | in |$)", kind, maxsplit=1)
        message = f"unknown {noun} {name!r}{preposition}{whole}"
        if self.suggestions:
            message += f"; did you mean {', '.join(self.suggestions)}?"
        elif len(known) <= 12:
            message += f"; allowed: {', '.join(known)}"
            every = ""
        if more := "; ".join(filter(None, (every, hint))):
            message += f" ({more})"
        super().__init__(message)

    def __reduce__(self) -> Any:
        return _remade, (type(self), ("", "", ()), self.args), self.__dict__


def _suggestions(name: str, known: list[str]) -> list[str]:
    close = closest(name, known, _SUGGESTED)
    if len(name) > 2 and not any(name in one.lower() for one in close):
        # Long names that have it in them (dinov2: vit_small_patch14_dinov2) are not close to it.
        within = sorted((k for k in known if name in k.lower()), key=len)
        close = within[:_SUGGESTED] or close
    return close


class MissingExtraError(UsageError, ImportError):
    """An optional dependency is not installed.

    Parameters
    ----------
    what : str
        What needs it, e.g. ``"keras:VGG16"``.
    extra : str
        The extra of this package that brings it, e.g. ``"keras"``.
    instead : str, optional
        What is installed in its place, and too old: ``"torch 1.13.1"``.

    Attributes
    ----------
    install : str
        What to type: ``"pip install 'penult[keras]'"``.
    """

    def __init__(self, what: str, extra: str, instead: str | None = None) -> None:
        upgrade = "" if instead is None else "-U "
        found = "which is not installed" if instead is None else f"and {instead} is too old for it"
        self.install = f"pip install {upgrade}'penult[{extra}]'"
        super().__init__(f"{what} needs the extra {extra!r}, {found}; type: {self.install}")

    def __reduce__(self) -> Any:
        return _remade, (type(self), ("", ""), self.args), self.__dict__


class ImageError(PenultError, ValueError):
    """One image cannot become pixels. Caught per image and listed in `/failures`."""


class SourceError(PenultError, ValueError):
    """No image can be had from what was given."""


class BackboneError(PenultError, RuntimeError):
    """A network cannot be built, loaded or cut at a layer."""


class WeightsError(BackboneError):
    """A network's weights cannot be had, or are not what they claim to be."""


class EngineError(PenultError, RuntimeError):
    """A network cannot be run on this machine."""


class FileFormatError(PenultError, ValueError):
    """A file is not what its name says, is truncated, or was written by a newer penult."""


class FeatureFileError(FileFormatError):
    """Not a readable feature file."""


class ClassifierFileError(FileFormatError):
    """Not a readable classifier file, or one that holds what a classifier never holds."""


class IndexFileError(FileFormatError):
    """An index cannot be read, or its features have changed since."""


class LabelLogError(FileFormatError):
    """A log of changed labels is damaged, or is something else."""


class WrongFileError(UsageError, FeatureFileError, ClassifierFileError, IndexFileError):
    """A folder, or a file of another kind, where a file of a certain kind is wanted.

    One of all kinds of files, for who catches those.
    """


class UnreadableFileError(
    SourceError, FeatureFileError, ClassifierFileError, IndexFileError, OSError
):
    """A file that is there cannot be read: permission denied, a disk that fails.

    One of all kinds of files, for who catches those.
    """


class RecipeMismatchError(PenultError, ValueError):
    """Rows of two recipes were about to meet."""


class TrainingError(PenultError, ValueError):
    """A classifier cannot be trained from these rows."""


class SearchError(PenultError, ValueError):
    """These rows cannot be searched, or searched for."""


class ServiceError(PenultError, RuntimeError):
    """A service has refused a call, or cannot be reached.

    Parameters
    ----------
    message : str
        The sentence that the service gives as the reason, or what kept it from answering.
    status : int, optional
        The HTTP status of its answer.
    members : mapping, optional
        What else its answer says.

    Attributes
    ----------
    status : int or None
        The HTTP status of its answer; None where it gave none.
    members : dict
        What its answer (RFC 9457) says beside ``type``, ``title``, ``status`` and ``detail``, as
        JSON has it. Of labels that are others than was expected (409), that is ``labels``: a list
        of ``id``, ``label`` and ``who`` of each. Of most answers it is empty.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        members: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.members = dict(members)


class ClusterError(PenultError, RuntimeError):
    """A cluster cannot be reached, or its workers cannot do what they are asked for."""


class DatabaseError(PenultError, RuntimeError):
    """A database refuses what it is asked, lacks something, or cannot be reached."""


class OutputError(PenultError, OSError):
    """A result cannot be written: the disk is full, the place is read-only, the path vanished."""
