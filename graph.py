"""The deployment graph: settings in, Serve application out.

Ingress ──► TaskStatus ──► AvatarGenerator, BackgroundGenerator, BackgroundRemover, Overlayer, Uploader

TaskStatus is a detached actor and no deployment: it calls the stages, and a caller must outlive its calls, which a
replica does not where it is scaled down or updated. So the stages are bound to the Ingress, which makes Serve run them,
and TaskStatus finds their handles by name.
"""

import ray
from ray import serve
from ray.serve import Application, Deployment

from deployments import spans
from deployments.avatar_generator import AvatarGenerator
from deployments.background_generator import BackgroundGenerator
from deployments.background_remover import BackgroundRemover
from deployments.engines.loading import chosen_engines
from deployments.ingress import Ingress
from deployments.media.provenance.opening import check_provenance
from deployments.overlayer import Overlayer
from deployments.runtime.actor import DetachedActor
from deployments.runtime.build import build_id
from deployments.runtime.nodes import check_cluster, count_nodes
from deployments.settings import Environment, Settings, check_spelling
from deployments.task_status import TaskStatus
from deployments.uploader import Uploader

STAGES = (AvatarGenerator, BackgroundGenerator, BackgroundRemover, Overlayer, Uploader)


def build(settings: Settings) -> Application:
    """The application with these settings: `args` of `serve_config.yaml`.

    Raises:
        SettingsError: a setting, or an environment variable, is misspelt or impossible, also on so many nodes.
    """
    spans.are_on()
    Environment().journal(settings)
    if ray.is_initialized():
        check_cluster(settings, count_nodes())
    return _bound(settings)


def _bound(settings: Settings) -> Application:
    check_spelling()
    environment = Environment()
    chosen_engines(settings, environment)
    check_provenance(settings, environment)
    build = build_id()
    task_status = DetachedActor(TaskStatus, settings, build)
    stages = [_deployment(stage).bind(settings, build) for stage in STAGES]
    return _deployment(serve.ingress()(Ingress)).bind(settings, task_status, stages)


def _deployment(kind: type) -> Deployment:
    """Scale is set in `serve_config.yaml`; these are for `serve run graph:app`.

    Serve's own defaults are for models of its own: five requests at once would starve stages that wait for somebody
    else's, and 20 seconds would cut off their calls.
    """
    scale = serve.deployment(
        max_ongoing_requests=10_000, graceful_shutdown_timeout_s=300, ray_actor_options={"num_cpus": 0.1}
    )
    return scale(kind)


app = _bound(Settings())  # unchecked: Serve imports this module for `build`, too
