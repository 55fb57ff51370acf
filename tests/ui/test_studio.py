"""The studio in a real browser, against a real service: the specs in `frontend/tests/e2e`."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from tests.running import ROOT, RunningService, free_port

# Where the specs put an object store that never answers; a private address, so the service must be allowed to reach it.
SLOW_STORE = f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a service answers that is there for these tests alone."""
    run = RunningService(tmp_path_factory.mktemp("studio"), {"engine": "local"}, {"AIGE_ALLOW_HOSTS": SLOW_STORE})
    try:
        run.start()
        yield run.url
    finally:
        run.close()


def test_the_studio_does_the_whole_job_in_a_browser(url: str) -> None:
    """From a photo to a downloaded picture, by mouse, touch and keyboard; and what it does when something fails."""
    npm, chromium = shutil.which("npm"), shutil.which("chromium")
    assert npm, "these tests need Node.js 20.19 or newer, with npm"
    assert chromium, "these tests need a browser: install Debian's package chromium"
    specs = subprocess.run(
        [npm, "run", "e2e"],
        cwd=ROOT / "frontend",
        env={**os.environ, "AIGE_URL": url, "AIGE_SLOW_STORE": SLOW_STORE, "CHROMIUM": chromium},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=1_800,
        check=False,
    )
    assert specs.returncode == 0, specs.stdout
