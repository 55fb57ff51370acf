# AIGE's image: a service on one machine by default, and every node of a Ray cluster with `ray start … --block`.
# It runs as uid 10001 with a read-only root; it writes to /tmp and /var/lib/aige only. `make image` builds it.
# Pin the bases by digest in production: --build-arg PYTHON_IMAGE=…@sha256:…

ARG PYTHON_IMAGE=docker.io/library/python:3.12-slim-bookworm
ARG NODE_IMAGE=docker.io/library/node:22-bookworm-slim
# `built` builds the studio here. `given` takes it from frontend/dist, where `make wheel` has built it.
ARG STUDIO=built

FROM ${NODE_IMAGE} AS studio-built
WORKDIR /src
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS studio-given
COPY frontend/dist /src/dist

# One of the two above.
# hadolint ignore=DL3006
FROM studio-${STUDIO} AS studio

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/aige
WORKDIR /src
COPY requirements.lock ./
RUN /opt/aige/bin/pip install --quiet --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md LICENSE graph.py serve_config.yaml ./
COPY aige aige
COPY deployments deployments
COPY scripts scripts
COPY --from=studio /src/dist frontend/dist
# Then whatever nobody runs here: pip, tests, Ray's Java and its reinforcement learning.
RUN /opt/aige/bin/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir /wheel . \
    && /opt/aige/bin/pip install --quiet --no-deps /wheel/*.whl \
    && /opt/aige/bin/pip uninstall --quiet --yes pip \
    && find /opt/aige -type d -name tests -path '*/site-packages/*' -prune -exec rm -r {} + \
    && rm -r /opt/aige/lib/python3*/site-packages/ray/jars /opt/aige/lib/python3*/site-packages/ray/rllib \
    && mkdir /etc/aige \
    && sed 's/^  host: 127\.0\.0\.1.*/  host: 0.0.0.0 # in the container; publish the port where you want it/' \
        serve_config.yaml >/etc/aige/serve_config.yaml

FROM ${PYTHON_IMAGE}
ARG PYTHON_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="AIGE" \
    org.opencontainers.image.description="Avatar cut-outs, backgrounds and composed pictures, from photos and prompts." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.created="${CREATED}" \
    org.opencontainers.image.base.name="${PYTHON_IMAGE}"
# wget is for the health check, and for the probes that KubeRay adds where a chart has none.
# hadolint ignore=DL3008
RUN (command -v wget >/dev/null || (apt-get update && apt-get install --yes --no-install-recommends wget)) \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /var/lib/aige --shell /usr/sbin/nologin aige \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/aige
COPY --from=build /opt/aige /opt/aige
COPY --from=build /etc/aige /etc/aige
ENV PATH=/opt/aige/bin:$PATH \
    HOME=/tmp \
    AIGE_DATA_DIR=/var/lib/aige \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RAY_USAGE_STATS_ENABLED=0
USER 10001:10001
WORKDIR /tmp
VOLUME ["/var/lib/aige"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["wget", "--no-proxy", "--quiet", "--timeout=4", "--output-document=/dev/null", "http://127.0.0.1:8000/readyz"]
# A node of a cluster: `ray start --head --block …`, or `ray start --address=HEAD:6379 --block …`.
CMD ["aige", "--config", "/etc/aige/serve_config.yaml"]
