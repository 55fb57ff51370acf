"""Ingress: the FastAPI application on Ray Serve."""

from ray import serve
from starlette.types import ASGIApp

from deployments import task_logging
from deployments.api.app import Parts, build_api
from deployments.engines.loading import checked_engine
from deployments.media.destinations import parse_allow_hosts
from deployments.media.opening import open_store
from deployments.settings import Environment, Settings
from deployments.task_status import TaskStatusClient, start_task_status


class Ingress:
    """One replica of the API. It starts the task status actor if none is running, and keeps no state of its own."""

    async def __init__(self, settings: Settings, _pipeline: object) -> None:  # type: ignore[misc]  # Ray awaits it
        task_logging.install()
        environment = Environment()
        app_name = serve.get_replica_context().app_name
        await start_task_status(settings, app_name)
        engine = checked_engine(settings, environment)
        self._parts = Parts(
            settings=settings,
            backend=TaskStatusClient(app_name),
            store=open_store(settings, environment),
            engine=engine.name,
            generative=engine.generative,
            allow=parse_allow_hosts(environment.aige_allow_hosts),
            api_keys=environment.api_keys,
        )

    def __serve_build_asgi_app__(self) -> ASGIApp:
        return build_api(self._parts)
