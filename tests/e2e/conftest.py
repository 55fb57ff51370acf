"""One real service for all end-to-end tests: its own Ray cluster on a free port, started by `scripts.run` as users do.

Its engine is the local one, which fails where a prompt asks it to (`tests.faults.engine`).
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tests.e2e.service import (
    API_KEY,
    HASTY_KEY,
    SETTINGS,
    SHUT_OUT_KEY,
    STORAGE_SECRET,
    WEBHOOK_SECRET,
    Service,
)
from tests.running import PATIENCE_S, RunningService
from tests.sinks.object_store import ObjectStoreSink, serving


@pytest.fixture(scope="session")
def sink() -> Iterator[ObjectStoreSink]:
    with serving() as sink:
        yield sink


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, sink: ObjectStoreSink) -> Iterator[Service]:
    environment = {
        "AIGE_API_KEYS": f"{API_KEY},another,hasty:{HASTY_KEY},shut-out:{SHUT_OUT_KEY}",
        "AIGE_STORAGE_SECRET": STORAGE_SECRET,
        "AIGE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "AIGE_ALLOW_HOSTS": sink.host,
    }
    run = RunningService(tmp_path_factory.mktemp("service"), SETTINGS, environment)
    run.client.headers["Authorization"] = f"Bearer {API_KEY}"
    run.client.timeout = 60
    try:
        run.start()
        yield Service(run.client, sink, run.logs)
    finally:
        run.close()


@pytest.fixture(scope="session")
def anyone() -> Iterator[httpx.Client]:
    """A client with no API key, for whole URLs."""
    alone = httpx.Limits(max_keepalive_connections=0)  # HAProxy closes those that it kept, when replicas come or go
    with httpx.Client(timeout=PATIENCE_S, limits=alone, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session", autouse=True)
def slow(service: Service) -> dict[str, str]:
    """Tasks that take long to end, by name; see `test_time_limits.py`."""
    service.sink.answers["/never-taken.png"] = [500] * 9
    service.sink.answers["/expires.png"] = [503] * 9
    expiry = f"X-Amz-Date={datetime.now(UTC):%Y%m%dT%H%M%SZ}&X-Amz-Expires=5"
    return {
        "hangs": service.avatar("/never.png", f"hangs {os.devnull}"),
        "never taken": service.background("/never-taken.png", "instant"),
        "expires": service.background("", "instant", writeUrl=f"{service.sink.url}/expires.png?{expiry}"),
    }
