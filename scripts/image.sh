#!/usr/bin/env bash
# Builds the container image, with whichever builder is there; arguments are passed on to it (`--build-arg …`).
# IMAGE names the image, by default aige:VERSION; BUILDER chooses docker, podman or buildah.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
for builder in ${BUILDER:-docker podman buildah} none; do
    command -v "$builder" >/dev/null && break
done
case $builder in
    docker) format=() ;;
    none) echo "Building the image needs docker, podman or buildah." >&2; exit 1 ;;
    *) format=(--format docker) ;; # the other one has no health check
esac
exec "$builder" build "${format[@]}" --tag "${IMAGE:-aige:$version}" \
    --build-arg VERSION="$version" \
    --build-arg REVISION="$(git rev-parse HEAD)" \
    --build-arg CREATED="$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y-%m-%dT%H:%M:%SZ)" \
    "$@" .
