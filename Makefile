# The two commands: `make demo` and `make test`. Both set up what they need in .venv.

VENV := .venv
BIN := $(VENV)/bin
IMAGES ?=
DATA ?= ../shared/data/chest_xray
MASKS ?= ../shared/data/lung_masks
# TensorFlow has wheels for Python 3.11 to 3.13. Another one: make demo PYTHON=/path/to/python
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)

.DEFAULT_GOAL := help
.PHONY: help demo docs test quick coverage release test-newest test-images test-cluster fuzz lint benchmarks refusals soak soak-rollout train lock proto wheel clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  make \1\t\2/p' Makefile

demo: $(VENV)/.serving  ## real radiographs through the shipped release: make demo IMAGES="a.jpeg b.dcm"
	@$(BIN)/neumo demo $(IMAGES)

test: lint  ## lint, types, walls and every test
	@echo "== tests"
	@$(BIN)/pytest

quick: lint  ## lint, types, walls and what is quick of the tests: three minutes
	@$(BIN)/pytest -q -m "not (images or cluster or slow or network or browser)"

test-newest:  ## server, SDK and training, what is quick of them, with the newest TensorFlow that is allowed
	@test -d .cache/newest || $(PYTHON) -m venv .cache/newest
	@.cache/newest/bin/pip install -q "tensorflow==$(NEWEST).*" "tensorflow-serving-api==$(NEWEST).*" -e ".[all]" \
	  pytest pytest-timeout hypothesis trustme opentelemetry-sdk gunicorn billiard
	@.cache/newest/bin/python -m pytest -q -p no:cacheprovider tests/serving
	@.cache/newest/bin/python -m pytest -q -p no:cacheprovider -m "not (images or cluster or slow or network or browser)" \
	  tests/client tests/training
NEWEST := 2.21

test-images: $(VENV)/.dev  ## build the images and run them (docker; minutes)
	@$(BIN)/pytest -m images tests/images

test-cluster: $(VENV)/.dev  ## all that needs docker and Kubernetes; on your cluster: make test-cluster LOAD="kind load image-archive"
ifeq ($(LOAD),)
	@tests/k8s/here.sh
else
	@$(BIN)/python tests/k8s/images.py "$(LOAD)"
	@$(BIN)/pytest -m cluster tests/k8s
endif

fuzz: $(VENV)/.dev  ## 100,000 malformed requests: does the server live? 10,000 DICOM headers: is a film silently another?
	@$(BIN)/python tests/fuzz/fuzzing.py
	@$(BIN)/python tests/fuzz/headers.py

lint: $(VENV)/.dev
	@echo "== ruff, mypy, import-linter"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy
	@$(BIN)/mypy tests/typing
	@MYPYPATH=tests $(BIN)/mypy -p support
	@$(BIN)/lint-imports --no-logo

benchmarks: $(VENV)/.dev  ## ratios against an in-process floor
	@for file in $(filter-out %/tests_path.py %/refusals.py %/ablations.py %/film_sets.py %/quality.py,$(wildcard tests/benchmarks/*.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

refusals: $(VENV)/.dev  ## what lungs refuses, by pictures that are downloaded (400 MB) and drawn
	@$(BIN)/python tests/benchmarks/refusals.py

soak: $(VENV)/.dev  ## predictions by each client while the server restarts; 50,000 requests to the gateway
	@$(BIN)/python tests/soak/restarts.py
	@$(BIN)/python tests/soak/gateway.py

soak-rollout:  ## rolls under load, on the cluster of KUBECONFIG: make soak-rollout RELEASES="IMAGE:1 IMAGE:2" ROLLOUTS=10
	@$(BIN)/python tests/soak/rollouts.py $(RELEASES) --rollouts $(ROLLOUTS) --manifests $(MANIFESTS)
RELEASES := neumo-tfserving:1 neumo-tfserving:2
ROLLOUTS := 10
MANIFESTS := serving/models

train: $(VENV)/.dev  ## the whole training: make train DATA=chest_xray MASKS=lung_masks (hours on 2 cores)
	@$(BIN)/neumo train $(DATA) --masks $(MASKS)

lock: $(VENV)/.dev  ## resolve the pinned versions anew
	@$(BIN)/uv pip compile $(LOCK) --extra dev -o requirements/dev.lock pyproject.toml
	@for extra in serving web; do $(BIN)/uv pip compile $(LOCK) --extra $$extra -c requirements/dev.lock -o requirements/$$extra.lock pyproject.toml || exit 1; done
LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

proto: $(VENV)/.dev  ## generate the messages anew, by the commands that their files' heads name
	@for file in client/neumo/_proto/serving.proto serving/neumo_serving/_proto/server_config.proto; do \
	  sed -n 's|^//   ||p' $$file | PATH="$(BIN):$$PATH" sh -e || exit 1; done

wheel: $(VENV)/.dev  ## build the wheel, with the newest release inside
	@$(BIN)/uv build --quiet --wheel --out-dir dist

coverage: $(VENV)/.dev  ## which lines of the SDK no test of it runs: to be read, not worshipped
	@$(BIN)/coverage run -m pytest -q tests/client && $(BIN)/coverage report

release: $(VENV)/.dev  ## version, tests, wheel, changelog's heading and tag: make release VERSION=0.2.0
	@$(BIN)/python .ci/release.py $(VERSION)

docs: $(VENV)/.dev  ## the site, into dist/docs: offline, a warning is an error
	@$(BIN)/python -m sphinx -q -W -n --keep-going -d dist/doctrees docs dist/docs
	@echo "dist/docs/index.html"

clean:  ## remove what was made here
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "neumo needs Python 3.11, 3.12 or 3.13 with venv (Debian: apt install python3-venv); or name one: make PYTHON=/path/to/python" >&2; exit 2; }
	@echo "== making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

# A set of pinned packages, then neumo itself, editable. dev contains serving.
$(VENV)/.serving $(VENV)/.dev: $(VENV)/.%: requirements/%.lock pyproject.toml | $(VENV)/bin/python
	@echo "== installing the packages pinned in $< (TensorFlow is large: a minute or more)"
	@$(BIN)/python requirements/install.py $<
	@$(BIN)/pip install --quiet --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
