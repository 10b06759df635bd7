"""HEIF, as phones write it (HEIC): read by pillow-heif, of the extra `heif`."""
