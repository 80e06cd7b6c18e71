"""``python -m neumo_serving`` is ``neumo serve``."""

import sys

from neumo.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
