"""What no schema says of the chart's manifests: each rule names what is wrong, or nothing."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import yaml
from ray.serve.schema import ServeDeploySchema

from deployments.errors import SettingsError
from deployments.settings import Settings
from tests.deploy.chart import Manifest, of_kind, pod_templates

DRAIN = "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"
OF_KUBERAY = {"RAY_REDIS_ADDRESS", "REDIS_PASSWORD", "RAY_external_storage_namespace", "RAY_AUTH_TOKEN"}
NAME_LENGTH = 47


def _spec(manifests: Iterable[Manifest]) -> Manifest:
    spec: Manifest = of_kind(manifests, "RayService")["spec"]
    return spec


def _serve(manifests: Iterable[Manifest]) -> Manifest:
    config: Manifest = yaml.safe_load(_spec(manifests)["serveConfigV2"])
    return config


def _containers(manifests: Iterable[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    for template in pod_templates(manifests):
        for container in template["spec"]["containers"]:
            yield template["spec"], container


def _policies(manifests: Iterable[Manifest], direction: str) -> list[Manifest]:
    """The specs of the NetworkPolicies that have a say in this direction."""
    specs = [manifest["spec"] for manifest in manifests if manifest["kind"] == "NetworkPolicy"]
    return [spec for spec in specs if direction in spec["policyTypes"]]


def _env(container: Manifest) -> dict[str, Any]:
    return {one["name"]: one.get("value") for one in container["env"]}


def name_is_short(manifests: list[Manifest]) -> str | None:
    """KubeRay adds to it, and services have 63 characters."""
    name = of_kind(manifests, "RayService")["metadata"]["name"]
    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name) or len(name) > NAME_LENGTH:
        return f"{name}: no DNS label of at most {NAME_LENGTH} characters"
    return None


def upgrades_take_over_at_once(manifests: list[Manifest]) -> str | None:
    """Two clusters that both take requests would fight for the journal."""
    kind = _spec(manifests)["upgradeStrategy"]["type"]
    return None if kind == "NewCluster" else f"upgradeStrategy {kind}"


def old_clusters_finish(manifests: list[Manifest]) -> str | None:
    """After an upgrade, an old cluster lives on for longer than its work takes."""
    delay = _spec(manifests)["rayClusterDeletionDelaySeconds"]
    _, container = next(_containers(manifests))
    return None if delay > int(_env(container)[DRAIN]) else f"the old cluster goes after {delay} s"


def the_head_takes_no_traffic(manifests: list[Manifest]) -> str | None:
    """After its restart, it answers 404 for a moment."""
    return None if _spec(manifests).get("excludeHeadPodFromServeSvc") else "the head is behind the Service"


def no_replica_runs_on_the_head(manifests: list[Manifest]) -> str | None:
    head = _spec(manifests)["rayClusterConfig"]["headGroupSpec"]
    return None if head["rayStartParams"].get("num-cpus") == "0" else "the head has CPUs to give"


def storage_namespace_is_kuberays(manifests: list[Manifest]) -> str | None:
    """If it is pinned, a new cluster reads the old one's actors (ray-project/kuberay#5052)."""
    options = _spec(manifests)["rayClusterConfig"].get("gcsFaultToleranceOptions", {})
    return "externalStorageNamespace is set" if "externalStorageNamespace" in options else None


def kuberays_variables_are_its_own(manifests: list[Manifest]) -> str | None:
    """It refuses them beside its own fields."""
    for _, container in _containers(manifests):
        if taken := OF_KUBERAY & _env(container).keys():
            return f"{container['name']} sets {', '.join(sorted(taken))}"
    return None


def a_variable_is_set_once(manifests: list[Manifest]) -> str | None:
    """The API server keeps one of each name, or refuses them all."""
    for _, container in _containers(manifests):
        names = [one["name"] for one in container["env"]]
        if twice := {name for name in names if names.count(name) > 1}:
            return f"{container['name']} sets {', '.join(sorted(twice))} twice"
    return None


def draining_has_time(manifests: list[Manifest]) -> str | None:
    """A stage's work < Ray's drain < the Pod's grace period."""
    longest = max(
        one["graceful_shutdown_timeout_s"] for app in _serve(manifests)["applications"] for one in app["deployments"]
    )
    for pod, container in _containers(manifests):
        drain, grace = int(_env(container)[DRAIN]), pod["terminationGracePeriodSeconds"]
        if not longest < drain < grace:
            return f"{container['name']}: a stage {longest} s, Ray {drain} s, the Pod {grace} s"
    return None


def pods_are_restricted(manifests: list[Manifest]) -> str | None:
    """Pod Security Standards, level `restricted`; and a root that nobody writes to."""
    for pod, container in _containers(manifests):
        own = container["securityContext"]
        wanted = {
            "runAsNonRoot": pod["securityContext"].get("runAsNonRoot") and own.get("runAsNonRoot"),
            "runAsUser": own.get("runAsUser", 0) > 0 and pod["securityContext"].get("runAsUser", 0) > 0,
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
            "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
            "seccompProfile": own.get("seccompProfile") == {"type": "RuntimeDefault"},
            "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem"),
            "host namespaces": not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(),
            "volumes": all({"emptyDir", "secret"} & volume.keys() for volume in pod["volumes"]),
        }
        if broken := [name for name, kept in wanted.items() if not kept]:
            return f"{container['name']}: {', '.join(broken)}"
    return None


def what_is_written_to_is_mounted(manifests: list[Manifest]) -> str | None:
    for _, container in _containers(manifests):
        places = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
        if not {"/tmp", "/var/lib/aige"} <= places:  # noqa: S108 - in the container
            return f"{container['name']} can write to {sorted(places)} only"
    return None


def workers_have_their_own_probe(manifests: list[Manifest]) -> str | None:
    """KubeRay's asks once, with wget, and a worker is out after one slow answer."""
    for group in _spec(manifests)["rayClusterConfig"]["workerGroupSpecs"]:
        (container,) = group["template"]["spec"]["containers"]
        probe = container.get("readinessProbe", {})
        if "httpGet" not in probe or probe["failureThreshold"] < 2:
            return f"{group['groupName']}: KubeRay's own readiness probe, or a nervous one"
    return None


def every_node_serves(manifests: list[Manifest]) -> str | None:
    """Each worker is asked whether it does; and from outside its own container."""
    config = _serve(manifests)
    if config["proxy_location"] != "EveryNode" or config["http_options"]["host"] != "0.0.0.0":
        return f"{config['proxy_location']} on {config['http_options']['host']}"
    return None


def serve_takes_its_config(manifests: list[Manifest]) -> str | None:
    """Ray Serve's own schema, and our settings."""
    config = _serve(manifests)
    ServeDeploySchema.model_validate(config)
    try:
        settings = Settings.model_validate(config["applications"][0]["args"])
    except SettingsError as error:
        return str(error)
    if settings.storage != "s3" or settings.public_url is None:
        return "the nodes share no disk and no address"
    return None


def the_journal_is_on_a_server(manifests: list[Manifest]) -> str | None:
    """TaskStatus may start again on any node. The URL holds a password, so it comes from a Secret."""
    journal = _serve(manifests)["applications"][0]["args"].get("journal")
    if journal not in {"redis", "postgresql"}:
        return f"journal: {journal}"
    for _, container in _containers(manifests):
        (url,) = [one for one in container["env"] if one["name"] == "AIGE_JOURNAL_URL"] or [{}]
        if not {"name", "key"} <= url.get("valueFrom", {}).get("secretKeyRef", {}).keys():
            return f"{container['name']} does not know where the journal is"
    return None


def a_deployment_survives_a_node(manifests: list[Manifest]) -> str | None:
    """Two replicas of each, on two nodes, where there are two."""
    (group,) = _spec(manifests)["rayClusterConfig"]["workerGroupSpecs"]
    for one in _serve(manifests)["applications"][0]["deployments"]:
        scale = one["autoscaling_config"]
        if one.get("max_replicas_per_node") != 1 or scale["min_replicas"] < min(2, group["replicas"]):
            return f"{one['name']}: {scale['min_replicas']} replicas"
        if scale["min_replicas"] > group["replicas"] or scale["max_replicas"] > group["maxReplicas"]:
            return f"{one['name']}: {scale} on {group['replicas']} to {group['maxReplicas']} nodes"
    return None


def secrets_are_references(manifests: list[Manifest]) -> str | None:
    """No manifest holds a secret, or a URL with a password."""
    if any(manifest["kind"] == "Secret" for manifest in manifests):
        return "a Secret is made"
    text = yaml.safe_dump(manifests)
    if found := re.search(r"://[^/\s]*:[^/\s]*@", text):
        return f"a password stands in {found[0]}"
    for _, container in _containers(manifests):
        for name, value in _env(container).items():
            if value and re.search(r"KEY$|SECRET|PASSWORD|TOKEN|JOURNAL_URL", name) and not value.startswith("/"):
                return f"{name} stands in the manifest"
    return None


def selectors_find_the_pods(manifests: list[Manifest]) -> str | None:
    """Those of the NetworkPolicy, the budget, the monitor and the spread: KubeRay adds ray.io/node-type itself."""
    head, *workers = [template["metadata"]["labels"] for template in pod_templates(manifests)]
    head["ray.io/node-type"] = "head"
    for labels in workers:
        labels["ray.io/node-type"] = "worker"
    wanted = {"NetworkPolicy": [head, *workers], "PodMonitor": [head, *workers], "PodDisruptionBudget": workers}
    for manifest in manifests:
        spec = manifest.get("spec", {})
        selector = (spec.get("podSelector") or spec.get("selector") or {}).get("matchLabels", {})
        is_autoscalers = manifest["metadata"]["name"].endswith("-autoscaler")
        for labels in [head] if is_autoscalers else wanted.get(manifest["kind"], []):
            if not selector or not selector.items() <= labels.items():
                return f"{manifest['kind']} selects {selector}"
    for template in pod_templates(manifests):
        for spread in template["spec"].get("topologySpreadConstraints", []):
            if not spread["labelSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items():
                return "the spread counts other Pods"
    return None


def ports_without_password_are_closed(manifests: list[Manifest]) -> str | None:
    """The cluster's own ports are for the cluster; HAProxy's statistics for nobody. An empty `from` means everybody."""
    policies = _policies(manifests, "Ingress")
    is_open = any("RAY_SERVE_ENABLE_HA_PROXY" in _env(container) for _, container in _containers(manifests))
    if not policies:
        return "HAProxy's ports are open to everybody" if is_open else None
    (policy,) = policies
    for rule in policy["ingress"]:
        ports = {port["port"] for port in rule.get("ports", [])}
        if not rule.get("from") and ports != {8000}:
            return f"everybody reaches {sorted(ports) or 'all ports'}"
        if 8404 in ports or (not ports and rule["from"] != [{"podSelector": policy["podSelector"]}]):
            return "somebody else reaches the cluster's own ports"
    return None


def the_autoscaler_reaches_kubernetes(manifests: list[Manifest]) -> str | None:
    """It asks for workers, from the head's Pod. The API listens on 443 or 6443, most often at a private address."""
    if not _spec(manifests)["rayClusterConfig"].get("enableInTreeAutoscaling"):
        return None
    policies = _policies(manifests, "Egress")
    open_ports = {
        port["port"]
        for policy in policies
        if policy["podSelector"]["matchLabels"].get("ray.io/node-type") == "head"
        for rule in policy["egress"]
        for port in rule["ports"]
    }
    return "the head cannot ask for workers" if policies and open_ports != {443, 6443} else None


def images_are_named(manifests: list[Manifest]) -> str | None:
    for _, container in _containers(manifests):
        if re.search(r":latest$|/[^:@]+$", container["image"]):
            return f"{container['image']} may be any image"
    return None


RULES: tuple[Callable[[list[Manifest]], str | None], ...] = (
    name_is_short,
    upgrades_take_over_at_once,
    old_clusters_finish,
    the_head_takes_no_traffic,
    no_replica_runs_on_the_head,
    storage_namespace_is_kuberays,
    kuberays_variables_are_its_own,
    a_variable_is_set_once,
    draining_has_time,
    pods_are_restricted,
    what_is_written_to_is_mounted,
    workers_have_their_own_probe,
    every_node_serves,
    serve_takes_its_config,
    the_journal_is_on_a_server,
    a_deployment_survives_a_node,
    secrets_are_references,
    selectors_find_the_pods,
    ports_without_password_are_closed,
    the_autoscaler_reaches_kubernetes,
    images_are_named,
)
