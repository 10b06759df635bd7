"""`penult` in a process of its own, where there is `toy:mean-colour`; see tests/serving/test_server.py."""

from __future__ import annotations

from toys import MeanColour

from penult.backbones.registry import register
from penult.cli import main

if __name__ == "__main__":
    register(MeanColour())
    main()
