"""Scenery painted from the words of a prompt, without a model: `paint`."""

from deployments.engines.local.scenery.painting import Painting, paint

__all__ = ["Painting", "paint"]
