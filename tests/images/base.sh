#!/usr/bin/env bash
# Makes the image TAG that stands in for python:3.12-slim-bookworm where no registry can be reached:
# Debian's own Python, and what this machine trusts, so that pip gets through while images are built.
#   tests/images/base.sh TAG          as root, with debootstrap and docker
set -euo pipefail

root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
# Readable to users who are not root, as mktemp's folder is not.
chmod 755 "$root"
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv \
  bookworm "$root" http://deb.debian.org/debian
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' > "$root/etc/pip.conf"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
tar --create --directory "$root" . | docker import - "$1"
