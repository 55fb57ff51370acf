"""Scaling by tasks. Many works travel in a message, which Serve counts as one request: that would say too little."""

from typing import cast

from ray.serve.config import AutoscalingConfig, AutoscalingContext

WORKS = "works"


def by_works(context: AutoscalingContext) -> tuple[float, dict[str, object]]:
    """An autoscaling policy: as many replicas as the works in hand need, at `target_ongoing_requests` works each.

    Each replica tells how many it has (`record_autoscaling_stats`). Bounds, delays and factors stay Serve's.
    """
    in_hand = (context.aggregated_metrics or {}).get(WORKS, {})
    config = cast(AutoscalingConfig, context.config)
    return sum(in_hand.values()) / config.get_target_ongoing_requests(), {}
