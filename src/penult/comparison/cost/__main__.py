"""``python -m penult.comparison.cost`` is started by `penult.comparison.cost.process` alone."""

from penult.comparison.cost.child import main

if __name__ == "__main__":
    main()
