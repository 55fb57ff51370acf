"""The FastAPI application, put together from its parts; plain ASGI that runs on any server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from starlette.types import ASGIApp

from deployments.api import problems
from deployments.api.admission import Admission
from deployments.api.answers import EnginesResponse, LimitsResponse, ServiceResponse
from deployments.api.auth import ApiKeys, Caller
from deployments.api.backend import Backend
from deployments.api.body_limit import BodyLimit
from deployments.api.caller_limits import LimitCallers
from deployments.api.cors import Cors
from deployments.api.erasure_routes import erasure_routes
from deployments.api.head import HeadAsGet
from deployments.api.health_routes import health_routes
from deployments.api.list_routes import list_routes
from deployments.api.openapi import DocumentedApp, problems_of
from deployments.api.operator_routes import operator_routes
from deployments.api.overload import Gate, RefuseAtGate
from deployments.api.status_shortcut import StatusShortcut
from deployments.api.storage_routes import storage_routes, sweeping
from deployments.api.submission_routes import submission_routes
from deployments.api.task_routes import task_routes
from deployments.api.trace_submissions import TraceSubmissions
from deployments.api.verify_routes import verify_routes
from deployments.api.web_ui import web_ui_routes
from deployments.api.whole_paths import WholePaths
from deployments.media.destinations import AllowedHosts
from deployments.media.provenance.manifests import Manifests
from deployments.media.storage import ObjectStore, own_store
from deployments.settings import VERSION, Settings
from deployments.spans import Tracer
from deployments.tasks.record import now, one_name

BASE = "/api/v1"
WEB_UI = Path(__file__).parents[1] / "studio"


@dataclass(frozen=True, slots=True)
class ServiceEngines:
    """Who makes the pixels: engines by verb, and whether portraits and backgrounds are a generative model's."""

    by_verb: EnginesResponse
    generative: bool

    @property
    def name(self) -> str:
        """The one engine of all verbs, or `mixed`."""
        return one_name(name for _, names in self.by_verb for name in names)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the application is made of.

    `api_keys` are the names of callers by their keys; `sends_webhooks` says whether there is a secret to sign webhooks
    with; `on_refusal` is called with the reason of each refused request.
    """

    settings: Settings
    backend: Backend
    store: ObjectStore
    engines: ServiceEngines
    manifests: Manifests = field(default_factory=Manifests)
    allow: AllowedHosts = frozenset()
    api_keys: Mapping[str, str] = field(default_factory=dict)
    sends_webhooks: bool = False
    clock: Callable[[], datetime] = now
    on_refusal: Callable[[str], None] = lambda _: None
    tracer: Tracer | None = None

    def is_operator(self, caller: str) -> bool:
        """Whether it may see what the service does for others: anybody, where no API keys tell one from another."""
        return not self.api_keys or caller in self.settings.operators


def build_api(parts: Parts) -> ASGIApp:
    """The whole API of the contract, with CORS outermost, so that a browser can read errors too."""
    limits = parts.settings.limits
    app = DocumentedApp(
        lifespan=sweeping(parts.store),
        title="AIGE",
        summary="Avatar cut-outs, backgrounds and composed pictures, from photos and prompts.",
        version=VERSION,
        redirect_slashes=False,
        responses=problems_of(500),
    )
    gate = Gate()
    admission = Admission(
        engine=parts.engines.name,
        limits=limits,
        allow=parts.allow,
        store=own_store(parts.store),
        sends_webhooks=parts.sends_webhooks,
        clock=parts.clock,
    )
    app.include_router(submission_routes(admission, parts.backend, gate), prefix=BASE)
    app.include_router(task_routes(parts.backend), prefix=BASE)
    app.include_router(erasure_routes(parts.backend), prefix=BASE)
    app.include_router(list_routes(parts.backend, parts.settings.public_url, BASE), prefix=BASE)
    app.include_router(operator_routes(parts.backend, parts.is_operator), prefix=BASE)
    app.include_router(storage_routes(parts.store, parts.settings.public_url), prefix=BASE)
    app.include_router(health_routes(parts.backend))
    app.include_router(verify_routes(parts.manifests, limits.picture_bytes), prefix=BASE)
    app.include_router(web_ui_routes(WEB_UI))
    service = ServiceResponse(
        version=VERSION,
        engine=parts.engines.name,
        engines=parts.engines.by_verb,
        generative=parts.engines.generative,
        blends=bool(parts.engines.by_verb.blend),
        webhooks=parts.sends_webhooks,
        operator=False,
        limits=LimitsResponse(**limits.model_dump()),
    )

    @app.get(f"{BASE}/service", tags=["service"], responses=problems_of(401))
    async def what_this_server_is(caller: Caller) -> ServiceResponse:
        return service.model_copy(update={"operator": parts.is_operator(caller)})

    problems.install(app)
    guarded: ASGIApp = BodyLimit(app, limits.body_bytes)
    guarded = RefuseAtGate(guarded, gate, BASE)
    guarded = LimitCallers(guarded, parts.backend, BASE, parts.settings.limits_of)
    if parts.tracer:
        guarded = TraceSubmissions(guarded, parts.tracer, BASE)
    guarded = WholePaths(StatusShortcut(guarded, parts.backend, BASE))
    if parts.api_keys:
        guarded = ApiKeys(guarded, parts.api_keys)
    return Cors(HeadAsGet(problems.LastResort(guarded, parts.on_refusal)), parts.settings.cors_origins)
