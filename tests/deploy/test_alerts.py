"""The alert rules: Prometheus takes them, each fires for what it is for, and the page for operators explains it."""

import re
import shutil
import subprocess
from pathlib import Path

import yaml

from tests.deploy.chart import MINIMAL, of_kind, rendered

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/alerts.yaml"
TESTS = ROOT / "tests/deploy/alerts.yaml"
TWO_SERVICES = ROOT / "tests/deploy/two-services.yaml"


def promtool(*arguments: str, folder: Path = ROOT) -> tuple[int, str]:
    program = shutil.which("promtool")
    assert program, "these tests need promtool: install Debian's package prometheus"
    ran = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def alerts() -> set[str]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {rule["alert"] for rule in group["rules"]}


def copied(folder: Path, old: str, new: str) -> Path:
    """The tests of the rules beside rules in which `old` is `new`; the folder that they lie in."""
    for file in (RULES, TESTS):
        (folder / file.relative_to(ROOT)).parent.mkdir(parents=True)
    rules = RULES.read_text(encoding="utf-8")
    assert old in rules
    (folder / RULES.relative_to(ROOT)).write_text(rules.replace(old, new))
    shutil.copy(TESTS, folder / TESTS.relative_to(ROOT))
    return (folder / TESTS.relative_to(ROOT)).parent


def test_prometheus_takes_the_rules() -> None:
    """As a server would load them."""
    assert promtool("check", "rules", str(RULES))[0] == 0


def test_every_alert_fires() -> None:
    """For a series that is made up for it, and none in its neighbour's place."""
    status, said = promtool("test", "rules", TESTS.name, folder=TESTS.parent)
    assert status == 0, said
    fired = {
        expected["alertname"]
        for test in yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]
        for expected in test["alert_rule_test"]
        if expected["exp_alerts"]
    }
    assert fired == alerts()


def test_the_charts_rules_hear_their_own_service_alone(tmp_path: Path) -> None:
    """Where one Prometheus scrapes two; the rules of the file hear both, as its page says."""
    rules = of_kind(rendered({**MINIMAL, "alerts": {"enabled": True}}), "PrometheusRule")["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    shutil.copy(TWO_SERVICES, tmp_path)
    status, said = promtool("test", "rules", TWO_SERVICES.name, folder=tmp_path)
    assert status == 0, said
    shutil.copy(RULES, tmp_path / "rules.yaml")
    assert promtool("test", "rules", TWO_SERVICES.name, folder=tmp_path)[0] != 0


def test_a_wrong_rule_is_found(tmp_path: Path) -> None:
    """One that does not parse, and one that fires for something else."""
    broken = copied(tmp_path / "broken", "absent(", "absent((").parents[1] / RULES.relative_to(ROOT)
    assert promtool("check", "rules", str(broken))[0] != 0
    for name, old, new in (("threshold", "> 1200", "> 12000"), ("label", 'action="write"', 'action="read"')):
        status, _ = promtool("test", "rules", TESTS.name, folder=copied(tmp_path / name, old, new))
        assert status != 0, name


def test_the_page_for_operators_explains_every_alert() -> None:
    """What it means and what to do, in a section of its name."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(Aige\w+)` \|", page, re.MULTILINE)) == alerts()
