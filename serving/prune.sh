#!/bin/sh
# Take out of the virtual environment $1 what the server never reads: headers, tests, the tools of
# installation. tests/images checks that what is left serves.
set -eu
site=$(echo "$1"/lib/python3*/site-packages)
rm -rf "$site"/tensorflow/include "$site"/clang "$site"/libclang-*
find "$site" -type d \( -name tests -o -name test -o -name testing \) -prune -print
