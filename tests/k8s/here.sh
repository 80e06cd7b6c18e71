#!/usr/bin/env bash
# Runs what needs Docker and Kubernetes on a Debian machine that has neither: `make test-cluster`.
#   tests/k8s/here.sh          images and cluster, all of it (half an hour on 2 cores)
#   tests/k8s/here.sh short    what a cluster says of the manifests, without an image (a minute)
# As root, with ../shared/docker/start and ../shared/kube/cluster. What is missing is started, and
# what was started is stopped; packages, images and the base image stay for the next time.
# Exit status 77: something cannot be had here, and a line says what.
set -euo pipefail
cd "$(dirname "$0")/../.."

SHARED=$(realpath --canonicalize-missing ../shared)
CLUSTER=$SHARED/kube/cluster
STAND_IN=neumo-test/python:bookworm
PYTEST=(.venv/bin/pytest --durations=5)
YOURS="on a cluster of your own: make test-cluster LOAD='kind load image-archive'"
LOG=$(mktemp)
started_docker=no started_cluster=no

say() { echo "== $*"; }
lack() { echo "no tests on a cluster here: $*" >&2; exit 77; }
# Runs a step whose words matter only where it fails.
quiet() { "$@" > "$LOG" 2>&1 || lack "$* failed: $(tail -n 1 "$LOG")"; }

stop() {
  status=$?
  set +e
  if [ "$started_cluster" = yes ]; then "$CLUSTER" down; fi
  if [ "$started_docker" = yes ]; then stop_docker; fi
  rm -f "$LOG"
  exit "$status"
}

stop_docker() {
  local daemon
  daemon=$(cat /run/docker.pid) || return
  kill "$daemon"
  while [ -e "/proc/$daemon" ]; do sleep 0.5; done
}

# PROGRAM=PACKAGE ...: installs those whose program is missing.
packages() {
  local one missing=()
  for one; do command -v "${one%%=*}" > /dev/null || missing+=("${one#*=}"); done
  if [ ${#missing[@]} = 0 ]; then return; fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  quiet apt-get update -qq
  quiet apt-get install -qq -y --no-install-recommends "${missing[@]}"
}

docker_daemon() {
  if docker info > /dev/null 2>&1; then return; fi
  say "starting Docker"
  started_docker=yes
  # In a session of its own: Ctrl-C must not end it before what runs in it.
  quiet setsid --wait "$SHARED/docker/start"
}

base_image() {
  if [ -n "${NEUMO_BASE_IMAGE:-}" ]; then return; fi
  if docker pull --quiet python:3.12-slim-bookworm > /dev/null 2>&1; then return; fi
  export NEUMO_BASE_IMAGE=$STAND_IN
  if [ -n "$(docker images --quiet "$STAND_IN")" ]; then return; fi
  packages debootstrap=debootstrap
  say "making $STAND_IN, since no registry can be reached"
  quiet tests/images/base.sh "$STAND_IN"
}

cluster() {
  if "$CLUSTER" exec kubectl get --raw=/readyz > /dev/null 2>&1; then return; fi
  packages conntrack=conntrack ip=iproute2 nft=nftables nsenter=util-linux openssl=openssl
  say "starting Kubernetes"
  started_cluster=yes
  quiet "$CLUSTER" up
  quiet "$CLUSTER" exec kubectl apply --server-side -f "$SHARED/kube/crds"
}

everything() {
  local failed=0
  docker_daemon
  base_image
  say "the images"
  "${PYTEST[@]}" -m images tests/images || failed=1
  cluster
  say "the manifests on the cluster"
  .venv/bin/python tests/k8s/images.py "$CLUSTER load" > "$LOG" || { cat "$LOG"; exit 1; }
  "$CLUSTER" exec "${PYTEST[@]}" -m cluster tests/k8s || failed=1
  say "$((SECONDS / 60)) min $((SECONDS % 60)) s"
  return $failed
}

short() {
  cluster
  say "the manifests on the cluster"
  "$CLUSTER" exec "${PYTEST[@]}" -m cluster tests/k8s/test_admission.py
}

trap stop EXIT
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then lack "it takes root on Debian; $YOURS"; fi
for one in "$CLUSTER" "$SHARED/docker/start"; do
  if [ ! -x "$one" ]; then lack "there is no $one; $YOURS"; fi
done
if [ "${1:-}" = short ]; then short; else everything; fi
