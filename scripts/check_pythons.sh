#!/usr/bin/env bash
# Whether each supported Python has a wheel of everything in requirements.lock, on each platform: asks the package index,
# and downloads and installs nothing. No machine's own pip or uv settings take part.
set -euo pipefail
cd "$(dirname "$0")/.."

for python in 3.11 3.12 3.13 3.14; do
    for platform in x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-apple-darwin; do
        env --unset=UV_INDEX --unset=UV_INDEX_URL --unset=UV_DEFAULT_INDEX --unset=UV_EXTRA_INDEX_URL --unset=UV_FIND_LINKS \
            MACOSX_DEPLOYMENT_TARGET=14.0 \
            .venv/bin/uv --no-config --quiet pip install --dry-run --target "$(mktemp --directory --dry-run)" \
            --python-version "$python" --python-platform "$platform" \
            --only-binary :all: --no-deps --require-hashes --requirements requirements.lock
        echo "Python $python on $platform: every package has a wheel."
    done
done
