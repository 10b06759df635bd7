"""What Telegram allows; see https://core.telegram.org/bots/api and its FAQ."""

from __future__ import annotations

from penult.chat.messenger import Messenger

__all__ = ["CAPTION", "COMMANDS", "NOTICE", "TELEGRAM", "TEXT"]

TEXT = 4096
"""Characters of a message."""

CAPTION = 1024
"""Characters below a picture."""

NOTICE = 200
"""Characters of what a pressed button shows."""

COMMANDS = {
    "help": "What this bot can do",
    "find": "Look at the photo that this is a reply to",
    "cancel": "Leave a label as it is",
}
"""What Telegram's menu of commands shows."""

TELEGRAM = Messenger(
    name="Telegram",
    max_bytes=20_000_000,
    max_pictures=10,
    sending_a_file="paper clip, then File",
)
