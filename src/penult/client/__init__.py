"""A client of the service that `penult serve` starts, synchronous and asynchronous."""

from penult.client.asynchronous import AsyncClient
from penult.client.synchronous import Client

__all__ = ["AsyncClient", "Client"]
