#!/bin/sh
# Build neumo's wheel from the sources in the working directory, and install it in the virtual
# environment $1. What builds it is pinned by the developers' lock.
set -eu
awk '/^[a-z]/ { keep = /^(hatchling|packaging|pathspec|pluggy|tomlkit|trove-classifiers)==/ } keep' \
  requirements/dev.lock > /tmp/build.lock
python3 -m venv /tmp/build
/tmp/build/bin/pip install --require-hashes -r /tmp/build.lock
/tmp/build/bin/python -m hatchling build -t wheel -d /tmp/wheel
"$1"/bin/pip install --no-deps /tmp/wheel/neumo-*.whl
