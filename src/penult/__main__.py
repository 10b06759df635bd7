"""``python -m penult`` is the command line, where no program `penult` is on the path."""

from penult.cli import main

if __name__ == "__main__":
    main()
