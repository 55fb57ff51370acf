"""What the tests of the openai engine share."""

from collections.abc import Callable

from deployments.engines.openai.engine import OpenAIEngine

MakeEngine = Callable[..., OpenAIEngine]
MODELS = dict.fromkeys(("portrait", "background", "blend"), "gpt-image-2") | {"cut_out": "gpt-image-2.5-flare"}
FREE = {"charges": False, "models": dict.fromkeys(("portrait", "background", "blend"), "my-model")}
"""Options of a server of one's own."""
