"""The bundled networks on 64 × 64 pixels, which take a twelfth of the time of 224 × 224.

As a program, `penult` with them.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from penult.backbones import bundled

PACKAGES = {
    name: replace(package, size=64, resize=73) for name, package in bundled._PACKAGES.items()
}
"""For `penult.backbones.bundled._PACKAGES`, where no example says how large the images are."""


if __name__ == "__main__":
    from penult.cli import main

    bundled._PACKAGES = PACKAGES
    sys.argv[0] = "penult"
    main()
