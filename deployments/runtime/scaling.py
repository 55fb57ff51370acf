"""Scaling by tasks. Many steps travel in a message, which Serve counts as one request: that would say too little."""

from typing import cast

from ray.serve.config import AutoscalingConfig, AutoscalingContext

RUNNING = "running_steps"


def by_running_steps(context: AutoscalingContext) -> tuple[float, dict[str, object]]:
    """An autoscaling policy: as many replicas as the running steps need, at `target_ongoing_requests` steps each.

    Each replica tells how many it has (`record_autoscaling_stats`). Bounds, delays and factors stay Serve's.
    """
    running = (context.aggregated_metrics or {}).get(RUNNING, {})
    config = cast(AutoscalingConfig, context.config)
    return sum(running.values()) / config.get_target_ongoing_requests(), {}
