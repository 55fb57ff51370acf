# `make` says what there is. Needs Python 3.11 to 3.14; everything else is set up in .venv on the first use.

PYTHON ?= python3
PORT ?=
PROFILE ?=
FILE ?= journal.jsonl

BIN := .venv/bin
RUN := .venv/installed-run
DEV := .venv/installed-dev
PEERS := .venv-bench/installed
ONE := $(PYTHON) scripts/one_make.py
WORKS := $(shell $(BIN)/python -c 'import pip' 2>/dev/null && echo yes)

# They would keep Python from this project, or end it for a library's warning.
unexport PYTHONSAFEPATH PYTHONWARNINGS

# The studio is built if Node.js 20.19 or newer is there, with npm; all else works without it.
NODE := $(shell node --version 2>/dev/null | sed -n '/^v[2-9][0-9]/p')
MODULES := frontend/node_modules/.package-lock.json
UI := frontend/dist/index.html

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run stop test test-quick test-cluster test-image soak check check-models demo bench dev lock wheel image sbom
.PHONY: export-journal import-journal anew

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

run: $(RUN) ## start the service (PORT=8001 and PROFILE=production where wanted); Ctrl-C stops it
	@$(if $(NODE),$(MAKE) --silent --no-print-directory $(UI) || echo "Going on without the studio.")
	@exec $(BIN)/python -m scripts.run $(if $(PORT),--port '$(PORT)') $(if $(PROFILE),--profile '$(PROFILE)')

stop: ## stop the service, from any shell, after any crash
	@if [ -e $(RUN) ]; then exec $(BIN)/python -m scripts.stop; else echo "Nothing is running."; fi

demo: $(RUN) ## a photo and two prompts to out/avatar.png, out/background.png and out/overlay.png
	@exec $(BIN)/python -m scripts.demo

test: $(DEV) $(UI) ## run every test but the long ones: test-cluster and test-image
	@cd frontend && npm test --silent
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder -m "not long"

test-cluster: $(DEV) ## every trial on simulated machines: lost, cut off, drained (needs root on Linux; half an hour)
	@$(BIN)/python -m pytest -p no:xdist tests/cluster

test-image: $(DEV) $(UI) ## build the image and try it; three of it as a cluster (root, podman, mmdebstrap on Linux; minutes)
	@$(BIN)/python -m pytest -p no:xdist tests/deploy/test_image.py tests/deploy/test_image_cluster.py

test-quick: $(DEV) ## the core's tests, without Ray cluster, browser and network; needs redis-server, postgresql; a minute
	@$(BIN)/python -m pytest --numprocesses 2 --quiet -m "not service and not exhaustive" \
		tests/api tests/runtime tests/scripts tests/tasks tests/test_*.py

check-models: $(RUN) ## ask fal.ai whether the configured models still exist (needs the network)
	@exec $(BIN)/python -m scripts.check_models

export-journal: $(RUN) ## write all tasks of the journal to FILE (stop the service first)
	@exec $(BIN)/python -m scripts.move_journal export '$(FILE)'

import-journal: $(RUN) ## read the tasks in FILE into an empty journal
	@exec $(BIN)/python -m scripts.move_journal import '$(FILE)'

soak: $(DEV) ## ten minutes under load with a kill every ten seconds
	@exec $(BIN)/python -m tests.chaos.soak

check: $(DEV) $(MODULES) ## formatting, lint, types, who may import whom; the API's description and its client (needs npm)
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/python -m scripts.export_openapi --check
	@cd frontend && npm run check --silent

dev: $(MODULES) ## the studio's development server on port 5173, against the service of `make run`
	@cd frontend && exec npm run dev --silent

bench: $(DEV) $(PEERS) ## the benchmarks against other systems; benchmarks/README.md says what they need
	@exec $(BIN)/python -m benchmarks

lock: $(DEV) ## resolve pyproject.toml's dependencies anew into the lock files
	@bash scripts/lock.sh

wheel: $(DEV) $(UI) ## build the wheel, with the studio, into dist/ (needs npm)
	@$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python

image: ## build the container image (IMAGE=registry.example/aige:1.0), with docker, podman or buildah
	@bash scripts/image.sh

# In an environment of its own: with one of its dependencies, each `import ray` takes four seconds more (tests/test_locks.py).
sbom: $(DEV) ## write what the service is made of to dist/aige.cdx.json (CycloneDX; its tool is fetched at each use)
	@mkdir -p dist
	@$(BIN)/uv tool run --quiet --from cyclonedx-bom==7.5.0 \
		cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --sv 1.6 --of JSON \
		--output-file dist/aige.cdx.json requirements.lock

$(MODULES): frontend/package-lock.json
	@command -v npm >/dev/null || { echo "The studio needs Node.js 20.19 or newer, with npm: install both, and try again." >&2; exit 1; }
	@$(ONE) $@ $^ -- sh -c 'echo "Installing what $< names" && cd frontend && npm ci --silent --no-audit --no-fund'

$(UI): $(MODULES) frontend/index.html frontend/vite.config.ts $(shell find frontend/src -type f)
	@$(ONE) $@ $^ -- sh -c 'echo "Building the studio" && cd frontend && npm run build --silent -- --logLevel warn'

# What is installed, by lock file. The second holds all of the first, at the same versions. Nothing is, if the system's
# Python was upgraded since: .venv/bin/python then leads nowhere, or to one that looks for packages in another folder.
$(RUN): requirements.lock pyproject.toml scripts/install.py $(if $(WORKS),,anew)
	@$(if $(WORKS),,rm -f $@;) $(ONE) $@ $(filter-out anew,$^) -- $(PYTHON) scripts/install.py $<

$(DEV): requirements-dev.lock $(RUN)
	@$(ONE) $@ $^ -- $(PYTHON) scripts/install.py $<

$(PEERS): benchmarks/requirements.lock pyproject.toml scripts/install.py
	@$(ONE) $@ $^ -- $(PYTHON) scripts/install.py $< .venv-bench
