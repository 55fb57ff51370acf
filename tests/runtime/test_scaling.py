"""Autoscaling by running steps."""

from ray.serve._private.common import DeploymentID, ReplicaID
from ray.serve.config import AutoscalingConfig, AutoscalingContext

from deployments.runtime.scaling import by_running_steps


def context(running: list[float] | None) -> AutoscalingContext:
    """What Serve tells of a deployment whose replicas have so many running steps."""
    deployment = DeploymentID("Uploader", "aige")
    replicas = [ReplicaID(str(number), deployment) for number, _ in enumerate(running or [])]
    return AutoscalingContext(
        deployment_id=deployment, deployment_name="Uploader", app_name="aige", current_num_replicas=2,
        target_num_replicas=2, running_replicas=replicas, total_num_requests=3, total_queued_requests=0,
        aggregated_metrics=None if running is None else {"running_steps": dict(zip(replicas, running, strict=True))},
        raw_metrics=None, capacity_adjusted_min_replicas=1, capacity_adjusted_max_replicas=8, policy_state={},
        last_scale_up_time=None, last_scale_down_time=None, current_time=None,
        config=AutoscalingConfig(min_replicas=1, max_replicas=8, target_ongoing_requests=500),
    )  # fmt: skip


def test_replicas_follow_the_steps_not_the_messages() -> None:
    """A thousand steps want two replicas at 500 each, in however few requests they came."""
    assert by_running_steps(context([300, 700])) == (2, {})
    assert by_running_steps(context([5, 0])) == (0.01, {})  # Serve keeps to `min_replicas`


def test_a_deployment_that_has_told_nothing_yet_is_left_at_its_least() -> None:
    """As it is when it starts."""
    assert by_running_steps(context(None)) == (0, {})
    assert by_running_steps(context([])) == (0, {})
