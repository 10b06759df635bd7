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
_OUT = "leads out of the archive"


class LinkTargets:
    """The files to which links lead.

    A hard link is the file that has its target's name when it is unpacked, and a symbolic link the
    file that is at its target at the end.

    Parameters
    ----------
    links : sequence of Member
        All links of the archive.
    paths : iterable of (str, Member or None)
        All that is in it, in its order, by its path; None of a folder. Of the files, no more is
        kept than what has the name of a link or of a target, in whatever folder.
    """

    def __init__(self, links: Iterable[Member], paths: Iterable[tuple[str, Member | None]]) -> None:
        names = {name for link in links for name in (_base(link.name), _base(link.target or ""))}
        self._there: dict[str, Member] = {}
        self._hard: dict[int, Member] = {}
        self._folders = {""}
        last = ""
        for path, member in paths:
            folder = path if member is None else path.rpartition("/")[0]
            if folder != last:  # files of one folder mostly follow each other
                last = folder
                self._add_folder(folder)
            if member is not None and _base(member.name) in names:
                self._there[member.name] = self._unpacked(member)

    def _add_folder(self, path: str) -> None:
        """Note a folder and those around it, which are made where a file in them is unpacked."""
        while path not in self._folders:
            self._folders.add(path)
            path = path.rpartition("/")[0]

    def _unpacked(self, member: Member) -> Member:
        if not member.is_hard or member.target is None:
            return member
        path = path_in_archive(member.target)
        is_file = path is not None and not member.target.endswith(("/", "/."))
        found = self._there.get(path or "") if is_file else None
        if found is None:
            where = _OUT if path is None else "is no file before it"
            told = _led("a hard link", member.target, where)
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
        told = _led("a link", link.target, reason or "is no file in the archive")
        return link._replace(target=None, reason=told)

    def folder(self, link: Member) -> str | None:
        """Where a link leads that leads to no file, if a folder can be there."""
        link = self._hard.get(link.at, link)
        path, reason = self._end(link)
        return None if reason or link.target is None or path in self._there else path

    def away(self, link: Member) -> str:
        """Say of a link that it leads out of the archive, or to what was not packed; else ""."""
        link = self._hard.get(link.at, link)
        if link.target is None:
            return ""
        path, reason = self._end(link)
        if reason == _OUT or (path.startswith("/") and not self._is_there(path)):
            return _led("a link", link.target, _OUT)
        return ""

    def _is_there(self, path: str) -> bool:
        return path in self._there or path in self._folders

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
                if not found.target:
                    return "", "leads to a link without a target"
                here = [""] if found.target.startswith("/") else here[:-1]
                ahead += reversed(found.target.split("/"))
            if not ahead:
                return "/".join(here), ""
            part, is_file, found = ahead.pop(), found is not None and found.target is None, None
            # As on a disk, also where what follows is "", "." or "..".
            if is_file or (part == ".." and "/".join(here) not in self._folders):
                return (
                    "",
                    f"leads through {_shown('/'.join(here))}, and that is no folder in the archive",
                )
            if part == ".." and here != [""]:
                if not here:
                    return "", _OUT
                here.pop()
            elif part not in ("", ".", ".."):
                here.append(part)
                found = self._there.get("/".join(here))
        return "", "leads to itself, or through too many links"


def _as(link: Member, file: Member) -> Member:
    """The file under the name, and at the place, of a link."""
    return file._replace(name=link.name, key=link.key, extension=link.extension, at=link.at)


def _led(kind: str, target: str, where: str) -> str:
    if not target:
        return f"is {kind} without a target"
    return f"is {kind} to {_shown(target)}, which {where}"


def _shown(target: str) -> str:
    shown = escape_undecodable(target[: _SHOWN + 1])
    return shown if len(target) <= _SHOWN else f"{shown[:_SHOWN]}…"


def _base(path: str) -> str:
    """The last part of a path that is a name."""
    return next((part for part in reversed(path.split("/")) if part not in ("", ".")), "")
