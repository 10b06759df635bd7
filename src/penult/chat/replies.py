"""What a bot answers, for a messenger to send."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Album", "Button", "Notice", "Picture", "Reply", "Text"]


@dataclass(frozen=True)
class Button:
    """A button below a text.

    Attributes
    ----------
    text : str
        What is on it.
    data : str
        What comes back where it is pressed: at most 64 bytes, as Telegram has it.
    """

    text: str
    data: str


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text, plain, with rows of buttons below it.

    Attributes
    ----------
    text : str
        May be of several lines.
    buttons : tuple of tuple of Button
        Row by row.
    asks : bool
        Whether it asks for something to be typed.
    replaces : bool
        Whether it takes the place of the text whose button was pressed, where the messenger can do
        that.
    """

    text: str
    buttons: tuple[tuple[Button, ...], ...] = ()
    asks: bool = False
    replaces: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of an album.

    Attributes
    ----------
    data : bytes
        A JPEG.
    caption : str
        Shown below it.
    """

    data: bytes = field(repr=False)
    caption: str


@dataclass(frozen=True, kw_only=True)
class Album:
    """Pictures that are shown together, at least one."""

    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Notice:
    """A few words that show up for a moment where a button was pressed."""

    text: str


Reply = Text | Album | Notice
