"""The Helm chart: Helm renders it, KubeRay's and Kubernetes' schemas take it, and it keeps what no schema says.

Each check is also shown a fault that it must find.
"""

import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python.errors import HelmError

from tests.deploy.chart import (
    CHART,
    FULL,
    MINIMAL,
    ROOT,
    Manifest,
    core_faults,
    crd_faults,
    lint_faults,
    of_kind,
    of_the_page,
    pod_templates,
    rendered,
)
from tests.deploy.rules import RULES, the_journal_is_on_a_server

Rule = Callable[[list[Manifest]], str | None]

ONE_NODE = {**MINIMAL, "workers": {"replicas": 1, "maxReplicas": 1}}
UNWATCHED = {**MINIMAL, "networkPolicy": {"monitoring": [], "operator": []}}
SCALING = {**MINIMAL, "workers": {"replicas": 2, "maxReplicas": 6, "autoscaling": True}}
ALL = {
    "minimal": MINIMAL,
    "full": FULL,
    "one node": ONE_NODE,
    "unwatched": UNWATCHED,
    "scaling": SCALING,
    "the page's": of_the_page(),
}
VALUES = pytest.mark.parametrize("values", ALL.values(), ids=ALL)


@VALUES
def test_helm_takes_it(values: Mapping[str, Any]) -> None:
    """Its schema and its lint, with warnings as errors."""
    assert lint_faults(values) == []


@VALUES
def test_the_schemas_take_it(values: Mapping[str, Any]) -> None:
    """KubeRay's of RayService, and Kubernetes' of all else, strictly."""
    manifests = rendered(values)
    assert crd_faults(manifests) == []
    assert core_faults(manifests) == []


@VALUES
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_it_keeps_the_rules(values: Mapping[str, Any], rule: Rule) -> None:
    """What no schema says."""
    assert rule(rendered(values)) is None


def test_the_defaults_refuse_what_they_cannot_know() -> None:
    """Without the five values that have no default, there is one line that names the first."""
    with pytest.raises(HelmError, match="repository"):
        rendered({})
    for name in MINIMAL:
        with pytest.raises(HelmError):
            rendered({key: value for key, value in MINIMAL.items() if key != name})


def test_full_values_change_every_default() -> None:
    """So that each is rendered in both ways."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert FULL.keys() == defaults.keys()
    same = set()
    for name, default in defaults.items():
        parts = default if isinstance(default, dict) and default else {"": default}
        given = FULL[name] if parts is default else {"": FULL[name]}
        same |= {f"{name}.{part}" for part in parts if given.get(part, parts[part]) == parts[part]}
    assert same == {"networkPolicy.enabled", "podDisruptionBudget.enabled"}


def test_the_settings_are_those_of_every_cluster() -> None:
    """Serve's config is deploy/cluster.yaml, but for what the values say."""
    config = yaml.safe_load(of_kind(rendered(MINIMAL), "RayService")["spec"]["serveConfigV2"])
    ours = yaml.safe_load((ROOT / "deploy/cluster.yaml").read_text(encoding="utf-8"))
    for one in (config, ours):
        (app,) = one["applications"]
        for name in ("s3", "public_url"):
            del app["args"][name]
        for deployment in app["deployments"]:
            for bound in ("min_replicas", "max_replicas"):
                deployment["autoscaling_config"].pop(bound, None)  # YAML's anchors share it
    assert config == ours


@pytest.mark.parametrize(("kind", "key"), [("redis", "url"), ("postgresql", "uri")])
def test_the_journal_is_where_the_values_say(kind: str, key: str) -> None:
    """The settings name the kind, and each node's environment the Secret that holds the URL."""
    manifests = rendered({**MINIMAL, "journal": {"kind": kind, "existingSecret": "somewhere", "key": key}})
    config = yaml.safe_load(of_kind(manifests, "RayService")["spec"]["serveConfigV2"])
    assert config["applications"][0]["args"]["journal"] == kind
    for template in pod_templates(manifests):
        env = {one["name"]: one for one in template["spec"]["containers"][0]["env"]}
        assert env["AIGE_JOURNAL_URL"]["valueFrom"] == {"secretKeyRef": {"name": "somewhere", "key": key}}


def test_what_is_switched_off_is_not_there() -> None:
    """Nothing of the Prometheus operator's, whose kinds may not exist."""
    kinds = sorted(manifest["kind"] for manifest in rendered(MINIMAL))
    assert kinds == ["NetworkPolicy", "PodDisruptionBudget", "RayService"]
    off = {**MINIMAL, "networkPolicy": {"enabled": False}, "haproxy": {"enabled": False}}
    off["podDisruptionBudget"] = {"enabled": False}
    assert [manifest["kind"] for manifest in rendered(off)] == ["RayService"]


def test_the_autoscaler_asks_nobody_but_kubernetes() -> None:
    """Where the values say where that is."""
    (policy,) = [one["spec"] for one in rendered(FULL) if one["metadata"]["name"] == "pictures-autoscaler"]
    assert [rule["to"] for rule in policy["egress"]] == [FULL["networkPolicy"]["kubernetesApi"]]


def test_rules_and_dashboard_are_the_files() -> None:
    """As they are tested elsewhere, to the letter, but that each rule names the namespace."""
    manifests = rendered(FULL)
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8"))
    rules = of_kind(manifests, "PrometheusRule")["spec"]
    for rule in rules["groups"][0]["rules"]:
        assert rule["labels"].pop("namespace") == "aige"
        assert rule["expr"].count('{namespace="aige"') == rule["expr"].count("ray_aige_")
        rule["expr"] = rule["expr"].replace('{namespace="aige"}', "").replace('{namespace="aige",', "{")
    assert rules == alerts
    dashboard = (ROOT / "deploy/grafana/aige.json").read_text(encoding="utf-8")
    assert of_kind(manifests, "ConfigMap")["data"]["aige.json"] == dashboard
    (monitored,) = of_kind(manifests, "PodMonitor")["spec"]["podMetricsEndpoints"]
    for template in pod_templates(manifests):
        assert monitored["port"] in {port["name"] for port in template["spec"]["containers"][0]["ports"]}


def test_without_haproxy_none_of_its_variables_is_set() -> None:
    """Serve's own proxy answers then."""
    for template in pod_templates(rendered(FULL)):
        names = {one["name"] for one in template["spec"]["containers"][0]["env"]}
        assert not [
            name for name in names if "PROXY" in name and "HTTP_PROXY" not in name and "PROXY_HEALTH" not in name
        ]


def test_the_environment_is_that_of_every_cluster() -> None:
    """deploy/cluster.env, line by line, on head and workers."""
    lines = (ROOT / "deploy/cluster.env").read_text(encoding="utf-8").splitlines()
    shared = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for template in pod_templates(rendered(MINIMAL)):
        env = {one["name"]: one.get("value") for one in template["spec"]["containers"][0]["env"]}
        assert shared.items() <= env.items()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"imagee": {}}, "imagee"),
        ({"publicUrl": "aige.example"}, "publicUrl"),
        ({"drainSeconds": 5}, "drainSeconds"),
        ({"image": {"repository": "r", "digest": "sha256:1"}}, "digest"),
        ({"secrets": {"existingSecret": "Not a name"}}, "existingSecret"),
        ({"journal": {"kind": "sqlite", "existingSecret": "aige-journal"}}, "kind"),
        ({"journal": {"kind": "postgresql"}}, "existingSecret"),
        ({"gcs": {"redisAddress": "redis://:password@redis:6379"}}, "redisAddress"),
        ({"env": [{"name": "REDIS_PASSWORD", "value": "x"}]}, "env"),
        ({"deployments": {"Uploadr": {}}}, "Uploadr"),
        ({"settings": {"journal": "sqlite"}}, "settings.journal"),
        ({"networkPolicy": {"enabled": False}}, "networkPolicy.enabled"),
        ({"workers": {"replicas": 2, "maxReplicas": 4}}, "workers.autoscaling"),
        ({"workers": {"replicas": 2, "maxReplicas": 1}}, "workers.maxReplicas"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_values_are_refused(changes: Mapping[str, Any], said: str) -> None:
    """With a line that names the value."""
    with pytest.raises(HelmError, match=said):
        rendered({**MINIMAL, **changes})


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("Chart.yaml", "version: 0.1.0\nappVersion", "appVersion"),
        ("templates/poddisruptionbudget.yaml", "apiVersion: policy/v1", "apiVersion: : policy/v1"),
        ("templates/networkpolicy.yaml", "{{- with .Values.networkPolicy.monitoring", "{{- with .Values.no.such"),
    ],
)
def test_helms_lint_finds_a_fault(tmp_path: Path, file: str, old: str, new: str) -> None:
    """A chart without a version, a template that is no YAML, a value that there is not."""
    chart = shutil.copytree(CHART, tmp_path / "aige")
    text = (chart / file).read_text(encoding="utf-8")
    assert old in text
    (chart / file).write_text(text.replace(old, new))
    assert lint_faults(MINIMAL, chart)


def _at(manifests: list[Manifest], kind: str, *path: str | int) -> Any:
    place: Any = of_kind(manifests, kind)
    for step in path:
        place = place[step]
    return place


def _set(kind: str, *path: str | int, to: object) -> Callable[[list[Manifest]], None]:
    def change(manifests: list[Manifest]) -> None:
        _at(manifests, kind, *path[:-1])[path[-1]] = to

    return change


def _serve_config(old: str, new: str) -> Callable[[list[Manifest]], None]:
    def change(manifests: list[Manifest]) -> None:
        spec = _at(manifests, "RayService", "spec")
        assert old in spec["serveConfigV2"]
        spec["serveConfigV2"] = spec["serveConfigV2"].replace(old, new)

    return change


CLUSTER = ("spec", "rayClusterConfig")
WORKER = (*CLUSTER, "workerGroupSpecs", 0)
POD = (*WORKER, "template", "spec")
CONTAINER = (*POD, "containers", 0)


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (_set("RayService", *CLUSTER, "headGroupSpecc", to={}), "headGroupSpecc"),
        (_set("RayService", *WORKER, "replicas", to="two"), "replicas"),
        (
            _set("RayService", *CONTAINER, "securityContext", "readOnlyRootFileSystem", to=True),
            "readOnlyRootFileSystem",
        ),
        (_set("RayService", "spec", "serveConfigV2", to={}), "serveConfigV2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kuberays_schema_finds_a_fault(plant: Callable[[list[Manifest]], None], found: str) -> None:
    """A misspelt field, a wrong type, deep in a Pod too."""
    manifests = rendered(MINIMAL)
    plant(manifests)
    assert any(found in fault for fault in crd_faults(manifests))


@pytest.mark.parametrize(
    "plant",
    [
        _set("NetworkPolicy", "spec", "podSelecter", to={}),
        _set("PodDisruptionBudget", "spec", "maxUnavailable", to=[1]),
    ],
    ids=["misspelt", "wrong type"],
)
def test_kubernetes_schemas_find_a_fault(plant: Callable[[list[Manifest]], None]) -> None:
    """A misspelt field, a wrong type."""
    manifests = rendered(MINIMAL)
    plant(manifests)
    assert len(core_faults(manifests)) == 1


def _more_env(name: str, value: str) -> Callable[[list[Manifest]], None]:
    return lambda manifests: _at(manifests, "RayService", *CONTAINER, "env").append({"name": name, "value": value})


def _without_env(name: str) -> Callable[[list[Manifest]], None]:
    def change(manifests: list[Manifest]) -> None:
        container = _at(manifests, "RayService", *CONTAINER)
        container["env"] = [one for one in container["env"] if one["name"] != name]

    return change


def _without(kind: str) -> Callable[[list[Manifest]], None]:
    return lambda manifests: manifests.remove(of_kind(manifests, kind))


PLANTED: dict[str, Callable[[list[Manifest]], None]] = {
    "name_is_short": _set("RayService", "metadata", "name", to="x" * 48),
    "upgrades_take_over_at_once": _set(
        "RayService", "spec", "upgradeStrategy", "type", to="NewClusterWithIncrementalUpgrade"
    ),
    "old_clusters_finish": _set("RayService", "spec", "rayClusterDeletionDelaySeconds", to=60),
    "the_head_takes_no_traffic": _set("RayService", "spec", "excludeHeadPodFromServeSvc", to=False),
    "no_replica_runs_on_the_head": _set("RayService", *CLUSTER, "headGroupSpec", "rayStartParams", to={}),
    "storage_namespace_is_kuberays": _set(
        "RayService", *CLUSTER, "gcsFaultToleranceOptions", to={"externalStorageNamespace": "aige"}
    ),
    "kuberays_variables_are_its_own": _more_env("REDIS_PASSWORD", "$(FROM_ELSEWHERE)"),
    "a_variable_is_set_once": _more_env("PYTHONUTF8", "0"),
    "draining_has_time": _set("RayService", *POD, "terminationGracePeriodSeconds", to=30),
    "pods_are_restricted": _set("RayService", *CONTAINER, "securityContext", "capabilities", to={"drop": ["NET_RAW"]}),
    "what_is_written_to_is_mounted": _set("RayService", *CONTAINER, "volumeMounts", to=[]),
    "workers_have_their_own_probe": _set("RayService", *CONTAINER, "readinessProbe", to={}),
    "every_node_serves": _serve_config("proxy_location: EveryNode", "proxy_location: HeadOnly"),
    "serve_takes_its_config": _serve_config("storage: s3", "storage: builtin"),
    "the_journal_is_on_a_server": _serve_config("journal: redis", "journal: memory"),
    "a_deployment_survives_a_node": _serve_config("min_replicas: 2", "min_replicas: 1"),
    "secrets_are_references": _more_env("FAL_KEY", "secret"),
    "selectors_find_the_pods": _set("PodDisruptionBudget", "spec", "selector", "matchLabels", "part", to="of"),
    "ports_without_password_are_closed": _without("NetworkPolicy"),
    "the_autoscaler_reaches_kubernetes": _set("RayService", *CLUSTER, "enableInTreeAutoscaling", to=True),
    "images_are_named": _set("RayService", *CONTAINER, "image", to="registry.example:5000/aige"),
}


@pytest.mark.parametrize(
    "plant",
    [_without_env("AIGE_JOURNAL_URL"), _set("RayService", *CONTAINER, "env", to=[{"name": "AIGE_JOURNAL_URL"}])],
    ids=["no URL", "no Secret"],
)
def test_a_journal_whose_place_no_secret_tells_is_found(plant: Callable[[list[Manifest]], None]) -> None:
    """On the workers alone, too."""
    manifests = rendered(MINIMAL)
    plant(manifests)
    assert the_journal_is_on_a_server(manifests) == "ray-worker does not know where the journal is"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_each_rule_finds_a_fault(rule: Rule) -> None:
    """Its own, and no other rule is broken by it."""
    manifests = rendered({**MINIMAL, "gcs": {"redisAddress": "redis:6379"}})
    sound = deepcopy(manifests)
    PLANTED[rule.__name__](manifests)
    assert rule(manifests) is not None
    assert rule(sound) is None
