"""What the links in a tar archive lead to, as if it had been unpacked."""

from __future__ import annotations

from collections.abc import Iterable

from penult.images.sources.file_names import escape_undecodable
from penult.images.sources.tar.members import Member, path_in_archive

__all__ = ["LinkTargets"]

_MOST_LINKS = 40  # one after the other, as Linux has it
_MOST_STEPS = 1000  # from folder to folder, on all their paths
_LONGEST = 4096  # characters of a target
_SHOWN = 200


class LinkTargets:
    """The files to which links lead.

    A hard link is the file that has its target's name when it is unpacked, and a symbolic link the
    file that is at its target at the end.

    Parameters
    ----------
    links : sequence of Member
        All links of the archive.
    members : iterable of Member
        All that is in it, in its order. Of these, no more is kept than what has the name of a link
        or of a target, in whatever folder.
    """

    def __init__(self, links: Iterable[Member], members: Iterable[Member]) -> None:
        names = {name for link in links for name in (_base(link.name), _base(link.target or ""))}
        self._there: dict[str, Member] = {}
        self._hard: dict[int, Member] = {}
        for member in members:
            if _base(member.name) in names:
                self._there[member.name] = self._unpacked(member)

    def _unpacked(self, member: Member) -> Member:
        if not member.is_hard or member.target is None:
            return member
        path = path_in_archive(member.target)
        found = None if path is None else self._there.get(path)
        if found is None:
            where = "leads out of the archive" if path is None else "is no file before it"
            told = f"is a hard link to {_shown(member.target)}, which {where}"
            found = member._replace(target=None, reason=told)
        found = self._hard[member.at] = _as(member, found)
        return found

    def file(self, link: Member) -> Member:
        """The file that a link leads to, under its name; with a reason where there is none."""
        link = self._hard.get(link.at, link)
        if link.target is None:
            return link
        path, reason = self._end(link)
        found = self._there.get(path)
        if found is not None and not reason:
            return _as(link, found)
        told = f"is a link to {_shown(link.target)}, which "
        return link._replace(target=None, reason=told + (reason or "is no file in the archive"))

    def folder(self, link: Member) -> str | None:
        """Where a link leads that leads to no file, if a folder can be there."""
        link = self._hard.get(link.at, link)
        path, reason = self._end(link)
        return None if reason or link.target is None or path in self._there else path

    def _end(self, link: Member) -> tuple[str, str]:
        """Where a symbolic link ends, and why nothing can be there; "" where something can."""
        here, ahead = link.name.split("/"), list[str]()
        found: Member | None = link
        links = 0
        for _ in range(_MOST_STEPS):
            if found is not None and found.target is not None:
                links += 1
                if links > _MOST_LINKS or len(found.target) > _LONGEST:
                    break
                here = [""] if found.target.startswith("/") else here[:-1]
                ahead += reversed(found.target.split("/"))
            if not ahead:
                return "/".join(here), ""
            part, found = ahead.pop(), None
            if part == ".." and here != [""]:
                if not here:
                    return "", "leads out of the archive"
                here.pop()
            elif part not in ("", ".", ".."):
                here.append(part)
                found = self._there.get("/".join(here))
        return "", "leads to itself, or through too many links"


def _as(link: Member, file: Member) -> Member:
    """The file under the name, and at the place, of a link."""
    return file._replace(name=link.name, key=link.key, extension=link.extension, at=link.at)


def _shown(target: str) -> str:
    shown = escape_undecodable(target[: _SHOWN + 1])
    return shown if len(target) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _base(path: str) -> str:
    """The last part of a path that is a name."""
    return next((part for part in reversed(path.split("/")) if part not in ("", ".")), "")
