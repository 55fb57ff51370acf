"""What can be seen of a running service from outside: every query has a series, and a task leaves one trace.

One service is started for all of it, and made to show everything: processes die, a provider is busy, Redis is full,
a caller is at its limit.
"""

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest
import yaml

from deployments.runtime.metrics import METRICS
from tests.deploy.watched import PER_MINUTE, Watched, panels, watched
from tests.running import PATIENCE_S, ROOT

DASHBOARD = ROOT / "deploy/grafana/aige.json"
ALERTS = ROOT / "deploy/prometheus/alerts.yaml"
CALLER = "0af7651916cd43dd8448eb211c80319c"
VICTIM = "ray::ServeReplica:aige:BackgroundRemover"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(tmp_path_factory.mktemp("watched")) as seen:
        yield seen


@pytest.fixture(scope="module")
def task(seen: Watched) -> str:
    """An avatar whose background remover is killed while its provider is at work; it ends well."""
    service = seen.service
    service.client.headers["traceparent"] = f"00-{CALLER}-b7ad6b7169203331-01"
    task_id = service.submit("avatar-1")
    del service.client.headers["traceparent"]
    service.wait_until(lambda: "cut_out-avatar-1" in service.provider.books()["charges"], "it is never cut out")
    service.kill(VICTIM)
    ended = service.ended(task_id)
    assert (ended["status"], ended["attempts"]) == ("done", 2)
    return task_id


@pytest.fixture(scope="module")
def trouble(seen: Watched, task: str) -> None:
    """Everything that has a metric of its own has happened."""
    service = seen.service
    names = [f"background-{number}" for number in range(5)] + ["background-unknown", "background-broken", "overlay-1"]
    for task_id in [service.submit(name) for name in names]:
        service.ended(task_id)
    assert service.client.post("/avatar", json={}).status_code == 400
    assert _submitted(seen, "heard", webhookUrl=service.provider.store("hook")).status_code == 200
    seen.redis.config_set("maxmemory", 1)  # a full server refuses what needs room
    answer = _submitted(seen, "refused")
    seen.redis.config_set("maxmemory", 0)
    assert answer.status_code == 503, answer.text
    more = (service.answered(f"background-more-{number}") for number in range(PER_MINUTE + 1))
    assert any(answer.status_code == 429 for answer in more), "its caller is never refused"


def _submitted(seen: Watched, name: str, **fields: str) -> httpx.Response:
    """The answer to a background of this name."""
    where = seen.service.provider.store(name)
    body = {"prompt": name, "avatar_id": "a", "writeUrl": where, "readUrl": where, **fields}
    return seen.service.client.put("/avatar/a/background", json=body)


def until_it_has_series(seen: Watched, expression: str) -> None:
    """Metrics come once a second, and a rate needs two of them."""
    give_up = time.monotonic() + PATIENCE_S / 4
    while not seen.query(expression):
        assert time.monotonic() < give_up, f"no series: {expression}"
        time.sleep(0.5)


@pytest.mark.usefixtures("trouble")
def test_every_panel_of_the_dashboard_shows_something(seen: Watched) -> None:
    """Each of its queries, as Grafana would ask."""
    for title, queries in panels(DASHBOARD).items():
        for query in queries:
            assert title
            until_it_has_series(seen, query.replace("$__rate_interval", "1m"))


@pytest.mark.usefixtures("trouble")
def test_every_alert_looks_at_something(seen: Watched) -> None:
    """Each metric in it, with the labels that it asks for, is one that the service shows."""
    (group,) = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]:
        selectors = set(re.findall(r"ray_\w+(?:\{[^}]*\})?", rule["expr"]))
        assert selectors, rule["alert"]
        for selector in selectors:
            until_it_has_series(seen, selector)


@pytest.mark.usefixtures("trouble")
def test_every_metric_is_shown(seen: Watched) -> None:
    """Under its name, with its tags."""
    for metric in METRICS:
        pattern = f'{{__name__=~"ray_{metric.name}(_count)?"}}'
        until_it_has_series(seen, pattern)
        assert set(metric.tags) <= seen.query(pattern)[0]["metric"].keys(), metric.name


def test_a_query_for_nothing_is_found(seen: Watched) -> None:
    """A misspelt metric has no series, and a query that does not parse is refused."""
    assert seen.query("ray_aige_task_total") == []
    with pytest.raises(AssertionError):
        seen.query("sum(")


def test_a_task_leaves_one_trace(seen: Watched, task: str) -> None:
    """Its caller's, through all processes and both attempts; each span's parent is there."""
    seen.service.wait_until(lambda: any(span.name == "upload" for span in seen.traces.of(CALLER)), "no upload")
    seen.service.wait_until(lambda: any(span.name == "avatar" for span in seen.traces.of(CALLER)), "no end")
    spans = seen.traces.of(CALLER)
    listed = sorted((span.name, span.attributes.get("aige.attempt", 0)) for span in spans)
    assert listed == [
        ("accept avatar", 0),
        ("attempt 1", 1),
        ("avatar", 0),
        ("generate_avatar", 1),
        ("generate_content billing/model", 1),
        ("generate_content billing/model", 2),
        ("remove_background", 2),
        ("upload", 2),
        ("wait generate_avatar", 1),
        ("wait remove_background", 2),
        ("wait upload", 2),
    ]
    by_id = {span.span: span for span in spans}
    assert len(by_id) == len(spans)
    steps = {"generate_avatar", "remove_background"}
    for span in spans:
        parent = by_id[span.parent].name if span.parent in by_id else None
        if span.name.startswith("generate_content"):
            assert parent in steps
        else:
            assert parent == {"accept avatar": None, "avatar": "accept avatar"}.get(span.name, "avatar"), span.name
    (accepted,) = (span for span in spans if span.name == "accept avatar")
    assert (accepted.parent, accepted.kind) == ("b7ad6b7169203331", "SERVER")
    assert [span.name for span in spans if span.failed] == ["attempt 1"]
    assert len({span.told_by for span in spans}) >= 4, "ingress, TaskStatus, and three stages"
    assert {span.attributes["aige.task_id"] for span in spans if span is not accepted} == {task}


def test_an_engines_call_names_its_receipt(seen: Watched, task: str) -> None:
    """Of both attempts: the second one waits for the request that the first one paid for."""
    calls = [span for span in seen.traces.of(CALLER) if span.name.startswith("generate_content")]
    receipts = {str(span.attributes["gen_ai.response.id"]) for span in calls}
    assert receipts == {"portrait-avatar-1-1", "cut_out-avatar-1-1"}
    for call in calls:
        assert call.kind == "CLIENT"
        assert call.attributes["gen_ai.provider.name"] == "billing"
        assert call.attributes["gen_ai.request.model"] == "billing/model"


def test_untraced_tasks_begin_a_trace_of_their_own(seen: Watched, trouble: None) -> None:
    """A caller that sends no traceparent is traced all the same; one that is refused, too."""
    traces = {span.trace for span in seen.traces.spans} - {CALLER}
    assert len(traces) >= 8
    assert any(span.attributes.get("http.response.status_code") == 503 for span in seen.traces.spans)


def test_the_discovery_file_is_where_the_page_says(seen: Watched) -> None:
    """Prometheus has targets, and all of them answer; on a busy machine not each time."""

    def health() -> set[str]:
        targets = seen.prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]
        return {target["health"] for target in targets}

    seen.service.wait_until(lambda: health() == {"up"}, "a target never answers")
    assert "prom_metrics_service_discovery.json" in (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_the_dashboard_is_whole() -> None:
    """Ids and places of its own for each panel, and one data source that is asked for."""
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(set(places)) == len(places)
    for panel in board["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert panel["targets"]
