"""``python -m neumo_serving`` is ``neumo serve``."""

import sys

from neumo.commands.program import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
