#!/usr/bin/env bash
# Resolves pyproject.toml into requirements.lock (what the service needs) and requirements-dev.lock (that, and the tools),
# and what the benchmarks compare it with into benchmarks/requirements.lock.
# Exact versions with hashes, for every supported Python and platform. No machine's own pip or uv settings take part.
set -euo pipefail
cd "$(dirname "$0")/.."

resolve() {
    env --unset=UV_INDEX --unset=UV_INDEX_URL --unset=UV_DEFAULT_INDEX --unset=UV_EXTRA_INDEX_URL --unset=UV_FIND_LINKS \
        .venv/bin/uv --no-config --quiet pip compile --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header "$@"
}

resolve pyproject.toml --group build --extra traces --output-file requirements.lock
resolve pyproject.toml --group build --group dev --constraints requirements.lock --output-file requirements-dev.lock
resolve pyproject.toml benchmarks/requirements.in --group build --output-file benchmarks/requirements.lock
