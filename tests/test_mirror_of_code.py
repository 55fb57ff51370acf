"""Tests are found from code: `deployments/a/b.py` is tested in `tests/a/test_b.py`.

`aige/b.py` is tested in `tests/aige/test_b.py`. Where that is too much for one file, there is `test_b_something.py`
beside it. `scripts/` has `tests/scripts/`, for what can be tested without a machine of its own.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"

BRUSHES: tuple[str, ...] = (
    "canvas",
    "city",
    "coast",
    "dunes",
    "fields",
    "ink",
    "lamps",
    "landscapes",
    "palette",
    "plants",
    "sky",
)
BRUSHES += ("space", "street", "studio", "terrain", "water", "weather")

TESTED_ELSEWHERE = {
    # What Ray runs: thin shells, which need a cluster.
    "deployments/ingress.py": "e2e/test_http.py",
    "deployments/task_status.py": "e2e/test_lost_processes.py",
    "deployments/avatar_generator.py": "e2e/test_operations.py",
    "deployments/background_generator.py": "e2e/test_operations.py",
    "deployments/background_remover.py": "e2e/test_operations.py",
    "deployments/overlayer.py": "e2e/test_operations.py",
    "deployments/uploader.py": "e2e/test_uploads.py",
    "deployments/runtime/stage.py": "e2e/test_engine_faults.py",
    # Protocols, types and constants, tested with those who keep or use them.
    "deployments/api/answers.py": "api/test_task_routes.py",
    "deployments/api/backend.py": "api/test_task_routes.py",
    "deployments/engines/base.py": "engines/local/test_engine.py",
    "deployments/tasks/receipts.py": "tasks/test_paid_submits.py",
    # Journals on a server, with their ways to it.
    "deployments/tasks/postgres_link.py": "tasks/test_journal_outcomes.py",
    "deployments/tasks/redis_link.py": "tasks/test_redis_journal.py",
    "deployments/tasks/redis_scripts.py": "tasks/test_redis_journal.py",
    # Parts of engines: what counts is what a provider is sent, and what becomes of its answer.
    "deployments/engines/circuit.py": "engines/test_chain.py",
    "deployments/engines/engine_options.py": "engines/fal/test_options.py",
    "deployments/engines/prompts.py": "engines/fal/test_engine_requests.py",
    "deployments/engines/ready.py": "engines/fal/test_inputs.py",
    "deployments/engines/submits.py": "engines/fal/test_call.py",
    "deployments/engines/words.py": "engines/fal/test_errors.py",
    "deployments/engines/openai/answers.py": "engines/openai/test_engine_outcomes.py",
    "deployments/engines/openai/api.py": "engines/openai/test_engine_outcomes.py",
    "deployments/engines/openai/errors.py": "engines/openai/test_engine_outcomes.py",
    "deployments/engines/openai/options.py": "engines/openai/test_engine.py",
    "deployments/engines/local/pixels.py": "engines/local/test_portrait.py",
    "deployments/engines/memory_call.py": "engines/test_conformance.py",
    "deployments/engines/httpx_errors.py": "engines/fal/test_errors.py",
    "deployments/media/retry_after.py": "media/test_upload.py",
    "aige/errors.py": "aige/test_async_client.py",
    "aige/progress.py": "aige/test_commands.py",
    "deployments/media/storage/base.py": "media/storage/test_builtin.py",
    # Brushes: what counts is the picture that they make together.
    "deployments/engines/local/cartoon.py": "engines/local/test_styles.py",
    "deployments/engines/local/painterly.py": "engines/local/test_styles.py",
    "deployments/engines/local/photo.py": "engines/local/test_styles.py",
    **{f"deployments/engines/local/scenery/{brush}.py": "engines/local/scenery/test_painting.py" for brush in BRUSHES},
}

OF_THE_WHOLE = {"e2e", "chaos", "cluster", "ui", "deploy"} | {
    f"test_{name}.py"
    for name in (
        "architecture",
        "cluster_files",
        "commands",
        "docs",
        "graph",
        "locks",
        "mirror_of_code",
        "network",
        "packaging",
        "starts",
    )
}
"""Folders and files, directly in `tests/`, that test the running service, or the project as it lies there."""

MODULES = sorted(
    str(file.relative_to(ROOT))
    for folder in ("aige", "deployments")
    for file in (ROOT / folder).rglob("*.py")
    if file.name != "__init__.py"
)
TEST_FILES = sorted(
    str(path)
    for path in (file.relative_to(TESTS) for file in TESTS.rglob("test_*.py"))
    if path.parts[0] not in OF_THE_WHOLE
)


def file_for(module: str) -> str:
    """Where its tests are, below `tests/`."""
    path = Path(module)
    folder = path.parts[:-1] if path.parts[0] == "aige" else path.parts[1:-1]
    return TESTED_ELSEWHERE.get(module, str(Path(*folder, f"test_{path.name}")))


def module_of(test_file: str) -> str | None:
    """The module that the file's name begins with, the longest that there is."""
    path = Path(test_file)
    top, *below = path.parts[:-1] or ("",)
    folder = Path(top, *below) if top in {"aige", "scripts"} else Path("deployments", *path.parts[:-1])
    words = path.stem.removeprefix("test_").split("_")
    for count in range(len(words), 0, -1):
        module = folder / f"{'_'.join(words[:count])}.py"
        if (ROOT / module).is_file():
            return str(module)
    return None


def test_every_module_has_a_test_file() -> None:
    """Under its name, or where the table says."""
    assert [module for module in MODULES if not (TESTS / file_for(module)).is_file()] == []


def test_every_test_file_has_a_module() -> None:
    """What was renamed or removed takes its tests along."""
    assert [test_file for test_file in TEST_FILES if module_of(test_file) is None] == []


def test_the_table_names_no_module_that_has_tests_of_its_own() -> None:
    """Nor one that is gone."""
    of_their_own = {module_of(test_file) for test_file in TEST_FILES}
    assert set(TESTED_ELSEWHERE) <= set(MODULES) - of_their_own


def imported_by(file: Path) -> set[str]:
    """The modules that it imports, also by `from package import module`."""
    names = set[str]()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_nobody_imports_from_tests() -> None:
    """What they share is a fixture, or lies in a module that holds no test."""
    files = list(TESTS.rglob("*.py"))
    tests = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in files
        if file.name.startswith("test_") or file.name == "conftest.py"
    }
    assert [str(file.relative_to(ROOT)) for file in files if imported_by(file) & tests] == []


def test_nobody_patches() -> None:
    """What a test wants to be different is an argument of what it tests; but for the network, which is nobody's."""
    patching = re.compile(
        r"\bmonkeypatch\.(setattr|delattr|setitem)\b|\bmocker\b|\bpatch\(|unittest\.mock|method-assign"
    )
    found = [file.name for file in TESTS.rglob("*.py") if patching.search(file.read_text(encoding="utf-8"))]
    assert sorted(found) == ["network.py", Path(__file__).name]
