"""From the name a user types, or a stored recipe, to a backbone."""

from penult.backbones.registry.names import DEFAULT_MODEL, names_hint, resolve, unknown_model
from penult.backbones.registry.opening import open_backbone, open_without_download
from penult.backbones.registry.prefixes import (
    BUILT_IN,
    ENTRY_POINTS,
    load_source,
    register,
    registered,
    sources,
    unregister,
)
from penult.backbones.registry.recorded import (
    as_recorded,
    holds_weights,
    open_recipe,
    pointing_to_conversion,
    require_recorded,
)

__all__ = [
    "BUILT_IN",
    "DEFAULT_MODEL",
    "ENTRY_POINTS",
    "as_recorded",
    "holds_weights",
    "load_source",
    "names_hint",
    "open_backbone",
    "open_recipe",
    "open_without_download",
    "pointing_to_conversion",
    "register",
    "registered",
    "require_recorded",
    "resolve",
    "sources",
    "unknown_model",
    "unregister",
]
