"""The program `penult`, and ``python -m penult`` where there is none of that name on the path."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line, which takes signals into its own hands once it is imported."""
    try:
        from penult.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("penult: stopped\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
