"""Which hosts addresses lead to, and which of these are on this machine or its own network."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from threading import Thread
from urllib.parse import urlsplit

__all__ = ["describe_hosts", "host_of", "is_internal", "is_network", "resolving_inside"]

# Protocols of fsspec that reach nothing by themselves; all others are taken to use the network.
_LOCAL = {
    "blockcache",
    "file",
    "filecache",
    "libarchive",
    "local",
    "memory",
    "simplecache",
    "tar",
    "zip",
}
_BUCKETS = {"abfs", "abfss", "adl", "az", "gcs", "gs", "hf", "oci", "oss", "s3", "s3a"}
_INTERNAL_NAMES = (".home.arpa", ".internal", ".intranet", ".lan", ".local", ".localhost")
_MOST_RESOLVED, _SECONDS = 50, 2.0
_MOST_NAMED = 5


def is_network(url: str) -> bool:
    """Whether reading an address uses the network."""
    return _beyond(url) is not None


def _beyond(url: str) -> str | None:
    """The part of an address that reaches the network, of ``zip://a.jpg::https://host/x.zip``."""
    parts = [part for part in url.split("::") if "://" in part]
    found = [part for part in parts if part.partition("://")[0].lower() not in _LOCAL]
    return found[-1] if found else None


def host_of(url: str) -> str:
    """The host that an address names, with its port and without a password; or the bucket."""
    address = _beyond(url) or url
    if address.endswith("["):  # fsspec splits [::1] as well, and cannot read it
        address = url
    scheme, _, rest = address.partition("://")
    place = rest.partition("/")[0]
    with suppress(ValueError):
        place = urlsplit(address).netloc
    place = place.rpartition("@")[2].lower()
    return f"{scheme.lower()}://{place}" if scheme.lower() in _BUCKETS else place


def is_internal(host: str) -> bool:
    """Whether a host, by its name or number, is this machine or on its own network."""
    if "://" in host:
        return False  # a bucket
    with suppress(ValueError):
        host = urlsplit(f"//{host}").hostname or host
    with suppress(UnicodeError):
        host = host.encode("idna").decode()  # digits and dots have several forms
    host = host.rstrip(".")
    with suppress(OSError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 2130706433 and 0x7f000001
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "." not in host or host.endswith(_INTERNAL_NAMES)
    return not (getattr(address, "ipv4_mapped", None) or address).is_global


def resolving_inside(hosts: Iterable[str]) -> set[str]:
    """Which of the hosts have a public name and an internal address, as far as two seconds tell."""
    found: set[str] = set()

    def ask(host: str) -> None:
        with suppress(OSError, UnicodeError, ValueError):
            name = urlsplit(f"//{host}").hostname
            if any(is_internal(str(info[4][0])) for info in socket.getaddrinfo(name, None)):
                found.add(host)

    open_questions = [host for host in hosts if "://" not in host][:_MOST_RESOLVED]
    threads = [Thread(target=ask, args=(host,), daemon=True) for host in open_questions]
    for thread in threads:
        thread.start()
    end = time.monotonic() + _SECONDS
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    return set(found)


def describe_hosts(hosts: Mapping[str, int]) -> str:
    """Name hosts in a line, those with the most images first, but internal ones before all."""
    inside = {host for host in hosts if is_internal(host)}
    inside |= resolving_inside(host for host in hosts if host not in inside)
    order = sorted(hosts, key=lambda host: (host not in inside, -hosts[host], host))
    shown = [f"{host} (internal)" if host in inside else host for host in order[:_MOST_NAMED]]
    rest = order[_MOST_NAMED:]
    text = ", ".join(shown)
    if rest:
        text += f" and {len(rest):,} more hosts"
        count = sum(host in inside for host in rest)
        text += f", {count:,} of them internal" if count else ""
    return text
