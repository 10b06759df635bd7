"""What a bot says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penult.chat.messenger import Messenger
from penult.chat.options import ChatOptions
from penult.chat.replies import Text
from penult.wording import count

if TYPE_CHECKING:
    from penult.client.answers import GalleryInfo

__all__ = ["welcome"]


def welcome(messenger: Messenger, options: ChatOptions, gallery: GalleryInfo | None) -> Text:
    """Say what the bot can do, and what becomes of photos."""
    lines = ["Send me a photo, and I say what is on it."]
    if gallery is not None:
        among = f"among {count(gallery.images, 'picture')}"
        classes = f" of {count(len(gallery.labels), 'class')}" if gallery.labels else ""
        lines[0] = (
            f"Send me a photo, and I say what is on it and show what is most like it, {among}"
            f"{classes}."
        )
        lines.append(
            f"Sent as a file ({messenger.sending_a_file}), a photo keeps its bytes, and I can tell "
            "whether the gallery has the very same one."
        )
        if options.relabel:
            lines.append(
                "“Wrong?” below an answer puts the label of one of the gallery's pictures right; "
                "the change is logged with your number, and can be undone."
            )
    lines.append("Several photos may be sent as an album.")
    lines.append(
        "In a group I answer photos whose caption names me, photos that reply to me, and /find "
        "sent as a reply to a photo."
    )
    lines.append(
        "Your photos go to the service behind this bot; the bot itself keeps none of them."
    )
    return Text(text="\n\n".join(lines))
