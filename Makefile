# `make` says what there is. Needs Python 3.11 to 3.13; everything else is set up in .venv on the first use.

PYTHON ?= python3
PORT ?=

BIN := .venv/bin
RUN := .venv/installed-run
DEV := .venv/installed-dev

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run stop test soak check check-models demo bench dev lock

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 8

run: $(RUN) ## start the service (PORT=8001 for another port); Ctrl-C stops it
	@exec $(BIN)/python -m scripts.run $(if $(PORT),--port $(PORT))

stop: ## stop the service, from any shell, after any crash
	@if [ -e $(RUN) ]; then exec $(BIN)/python -m scripts.stop; else echo "Nothing is running."; fi

demo: $(RUN) ## a photo and two prompts to out/avatar.png, out/background.png and out/overlay.png
	@exec $(BIN)/python -m scripts.demo

test: $(DEV) ## run every test
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

check-models: $(RUN) ## ask fal.ai whether the configured models still exist (needs the network)
	@exec $(BIN)/python -m scripts.check_models

soak: $(DEV) ## ten minutes under load with a kill every ten seconds
	@exec $(BIN)/python -m tests.chaos.soak

check: $(DEV) ## formatting, lint, types, who may import whom
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: ## the benchmarks (with a later version)
dev: ## the web UI's development server (with a later version)
bench dev:
	@echo "make $@ comes with a later version." >&2; exit 1

lock: $(DEV) ## resolve pyproject.toml's dependencies anew into the lock files
	@bash scripts/lock.sh

# What is installed, by lock file. The second holds all of the first, at the same versions.
$(RUN): requirements.lock pyproject.toml scripts/install.py
	@$(PYTHON) scripts/install.py $<
	@touch $@

$(DEV): requirements-dev.lock $(RUN)
	@$(PYTHON) scripts/install.py $<
	@touch $@
