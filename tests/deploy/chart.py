"""The Helm chart, rendered by Helm, and what is wrong with what it renders."""

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import helm_python
import jsonschema
import kubernetes_validate
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/aige"
CRD = ROOT / "tests/data/kuberay/rayservices-v1.json.gz"
KUBERNETES = "1.37.0"

Manifest = dict[str, Any]

MINIMAL: Mapping[str, Any] = {
    "image": {"repository": "registry.example/aige"},
    "publicUrl": "https://aige.example",
    "s3": {"bucket": "pictures"},
    "secrets": {"existingSecret": "aige"},
    "journal": {"existingSecret": "aige-journal"},
}
"""What the chart asks for, and no more."""
FULL: Mapping[str, Any] = yaml.safe_load((ROOT / "tests/deploy/full-values.yaml").read_text(encoding="utf-8"))
"""Every value, each other than its default."""


def of_the_page() -> Mapping[str, Any]:
    """The values that docs/operations.md gives as an example, with a digest."""
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (block,) = [
        block for block in re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE) if "gcs:" in block
    ]
    values: Mapping[str, Any] = yaml.safe_load(block.replace("sha256:…", f"sha256:{'0' * 64}"))
    return values


def rendered(values: Mapping[str, Any], name: str = "pictures") -> list[Manifest]:
    """The manifests, as `helm template` prints them.

    Raises:
        helm_python.errors.HelmError: the values are refused.
    """
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(dict(values))
        texts = chart.render(dict(values), name=name, namespace="aige")
    documents = (yaml.safe_load_all(text) for path, text in texts.items() if path.endswith(".yaml"))
    return [document for several in documents for document in several if document]


def lint_faults(values: Mapping[str, Any], chart: Path = CHART) -> list[str]:
    """What `helm lint --strict` says, but for the icon that it would like."""
    report = helm_python.lint(chart, dict(values), strict=True)
    return [message["error"] for message in report["messages"] if "icon is recommended" not in message["error"]]


def of_kind(manifests: Iterable[Manifest], kind: str) -> Manifest:
    (found,) = (manifest for manifest in manifests if manifest["kind"] == kind)
    return found


def crd_faults(manifests: Iterable[Manifest]) -> list[str]:
    """What KubeRay's schema of RayService has against it; fields that it does not know are faults too."""
    validator = jsonschema.Draft202012Validator(_ray_service_schema())
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for manifest in manifests
        if manifest["kind"] == "RayService"
        for error in validator.iter_errors(manifest)
    ]


def core_faults(manifests: Iterable[Manifest]) -> list[str]:
    """What Kubernetes' own schemas have against the other kinds; those of operators are not among them."""
    faults = []
    for manifest in manifests:
        if manifest["apiVersion"].startswith(("ray.io/", "monitoring.coreos.com/")):
            continue
        try:
            kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            faults.append(f"{manifest['kind']}: {error}")
    return faults


def _ray_service_schema() -> Manifest:
    crd = json.loads(gzip.decompress(CRD.read_bytes()))
    schema = deepcopy(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}
    return {**_strict(schema), "$schema": "https://json-schema.org/draft/2020-12/schema"}


def _strict(schema: Any) -> Any:
    """As the API server reads it where field validation is strict: a field that is not named is not allowed."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _strict(part) for name, part in schema.items()}
    if made.pop("x-kubernetes-int-or-string", False):
        return {"type": ["integer", "string"]}
    if made.pop("nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = bool(made.get("x-kubernetes-preserve-unknown-fields"))
    return made


def pod_templates(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """The head's, and each worker group's."""
    cluster = of_kind(manifests, "RayService")["spec"]["rayClusterConfig"]
    yield cluster["headGroupSpec"]["template"]
    for group in cluster["workerGroupSpecs"]:
        yield group["template"]
