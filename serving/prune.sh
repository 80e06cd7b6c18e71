#!/bin/sh
# Take out of the virtual environment $1 what the server never reads: headers, the tools of
# installation, other packages' tests, the demo's film, TensorBoard's own server.
# `make test-images` checks that what is left serves.
set -eu
site=$(echo "$1"/lib/python3*/site-packages)
rm -rf "$site"/tensorflow/include "$site"/clang "$site"/data_store "$site"/tensorboard_data_server/bin
rm -rf "$site"/pip "$site"/pip-*.dist-info "$1"/bin/pip*
find "$site" -type d -name tests -prune -exec rm -rf {} +
