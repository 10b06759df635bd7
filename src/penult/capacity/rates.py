"""What was measured on this machine, of these photos and this network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from penult.capacity.way import DEFAULT_WAY, Way
from penult.representation import short_repr

__all__ = ["Measured", "SampleFacts"]


@short_repr
@dataclass(frozen=True, kw_only=True)
class SampleFacts:
    """The photos that were measured with.

    Attributes
    ----------
    name : str
        Where they are from.
    synthetic : bool
        Whether they were made up, because no sample was given.
    photos : int
        How many were measured with.
    failed : int
        How many more could not be read.
    photo_bytes : float
        Bytes that have to be read of one, on average.
    megapixels : float
        Of one, on average.
    id_bytes : float
        Length of an id in UTF-8, on average.
    """

    name: str
    synthetic: bool = False
    photos: int
    failed: int = 0
    photo_bytes: float
    megapixels: float
    id_bytes: float


@short_repr
@dataclass(frozen=True, kw_only=True)
class Measured:
    """Rates of this machine, and sizes.

    Attributes
    ----------
    sample : SampleFacts
        What with.
    reading_ms : mapping of (str, str) to float
        (resize, decode) to milliseconds of one core for reading, decoding and resizing a photo.
    network_ms : mapping of str to float
        Precision to milliseconds of one core for a photo in the network; of one GPU, where the
        network runs on one.
    error : float
        Relative standard error of the time a photo, from how much the photos differ.
    cores : int
        Cores of this machine, with all of which `efficiency` was measured.
    efficiency : float
        Images a second with all cores, relative to `cores` times those of one core.
    others : float
        Cores that other processes took meanwhile.
    start_seconds : float
        From a closed network to the first row.
    worker_bytes : int
        Memory of a process that runs the network, without the rows that it holds.
    machine_memory : int
        Memory of this machine.
    row_length : int
        Numbers of a row; of several layers or networks, of all.
    beside_bytes : float
        Bytes of a feature file an image that are not its row: id, label, digest.
    fixed_bytes : int
        Bytes of a feature file of no rows.
    listing_bytes : float
        Memory of a listing, an image.
    on_gpu : bool
        Whether the network ran on a GPU.
    processor : str
        Name of what `reading_ms` is of.
    unavailable : mapping of str to str
        Option that was not measured, as typed, to the reason.
    """

    sample: SampleFacts
    reading_ms: Mapping[tuple[str, str], float]
    network_ms: Mapping[str, float]
    error: float = 0.0
    cores: int
    efficiency: float
    others: float = 0.0
    start_seconds: float
    worker_bytes: int
    machine_memory: int
    row_length: int
    beside_bytes: float
    fixed_bytes: int = 0
    listing_bytes: float
    on_gpu: bool = False
    processor: str = ""
    unavailable: Mapping[str, str] = field(default_factory=dict)

    @property
    def ways(self) -> tuple[Way, ...]:
        """What can be chosen: the default, and each option that was measured, alone."""
        resizes = [Way(resize="fast")] if ("fast", "exact") in self.reading_ms else []
        decodes = [Way(decode="scaled")] if ("exact", "scaled") in self.reading_ms else []
        halves = [Way(precision=p) for p in ("bfloat16",) if p in self.network_ms]
        return DEFAULT_WAY, *halves, *resizes, *decodes

    def images_per_second(self, way: Way, *, cores: int, gpus: int) -> float:
        """How many images a machine of so many cores and GPUs does in a second.

        On a CPU, each core does one photo after the other, and `efficiency` of what it does alone.
        With GPUs, the cores read, the GPUs run the network, and the slower of the two decides.

        Parameters
        ----------
        way : Way
            One that was measured.
        cores, gpus : int
            Of the machine.

        Returns
        -------
        float
            Images a second.
        """
        reading, network = self.reading_ms[way.reading], self.network_ms[way.precision]
        if not self.on_gpu:
            return cores * self.efficiency * 1000 / (reading + network)
        return min(cores * self.efficiency * 1000 / reading, gpus * 1000 / network)
