"""What is measured: this project, and each peer as its own documentation shows it.

One process serves HTTP in each, and two do the work where a system has workers of its own; access logs are off.
"""

import base64
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from benchmarks import journals
from benchmarks.system import Api, Place, Service, System, free_port
from benchmarks.wrk import ROOT
from deployments.settings import Profile
from scripts import cluster

PEERS_BIN = ROOT / ".venv-bench" / "bin"
PEERS = "benchmarks.peers"


API = Api(submit="/api/v1/avatar", status="/api/v1/task/{}/status", events="/api/v1/task/{}/events")


@dataclass(frozen=True)
class Aige:
    """This project, as `make run` starts it."""

    profile: str = "laptop"
    variant: str = ""
    """Told apart by this in the results."""
    deployments: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """Other options than those of `serve_config.yaml`, by deployment."""
    arguments: Mapping[str, object] = field(default_factory=dict)
    """Other settings than those of `serve_config.yaml`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of its own."""
    journal: str = "sqlite"
    """`redis` and `postgresql` start such a server, too."""
    graph: str = "graph:build"
    """What builds the application."""
    api: Api = API

    @property
    def name(self) -> str:
        return f"aige_{self.profile}{self.variant}"

    @property
    def title(self) -> str:
        return f"AIGE, {self.profile}{self.variant}"

    def services(self, place: Place) -> list[Service]:
        settings = {"journal": self.journal, **self.arguments}
        config = write_config(place.folder, self.deployments, settings, self.graph)
        options = ["--config", str(config), "--port", str(place.port), "--profile", self.profile]
        command = [sys.executable, "-m", "scripts.run", *options]
        environment = {
            "AIGE_RUN": "",  # scripts.run marks what it starts, and is none of it
            "AIGE_DATA_DIR": str(place.folder),
            **_surroundings(place),
            **self.environment,
        }
        if self.journal == "sqlite":
            return [Service(command, environment)]
        server, url = journals.server(self.journal, place)
        return [server, Service(command, environment | {"AIGE_JOURNAL_URL": url})]


def without_provenance(profile: str) -> Aige:
    """This project without the manifests that say where a picture comes from; peers have none either."""
    return Aige(profile, "_unmarked", arguments={"provenance": "off"})


QUIET_KEY, FLOOD_KEY = "quiet-key", "flood-key"
FLOOD_IN_FLIGHT = 64
"""So many tasks the flooding caller may have at once."""


def with_callers(profile: str) -> Aige:
    """This project with all that a public service sets: named keys, every kind of limit, a price, and webhooks."""
    wide = {"tasks_in_flight": 1_000_000, "tasks_per_minute": 10_000_000, "spend_per_day": 1_000_000}
    flood = {**wide, "tasks_in_flight": FLOOD_IN_FLIGHT}
    secret = base64.b64encode(bytes(range(32))).decode()
    return Aige(
        profile,
        "_callers",
        arguments={"callers": {"quiet": wide, "flood": flood}, "prices": {"instant": 0.01}},
        environment={
            "AIGE_API_KEYS": f"quiet:{QUIET_KEY},flood:{FLOOD_KEY}",
            "AIGE_WEBHOOK_SECRET": f"whsec_{secret}",
        },
        api=replace(API, key=QUIET_KEY, tells=True),
    )


class BareGraph(Aige):
    """Not this project: the same task on Ray Serve alone, started in the same way."""

    def __init__(self, profile: str) -> None:
        super().__init__(profile, graph="benchmarks.bare_graph:build", api=replace(API, events=None))

    @property
    def name(self) -> str:
        return "bare_serve"

    @property
    def title(self) -> str:
        return f"a bare Ray Serve graph, {self.profile}"


class TwoNodes(Aige):
    """This project on a Ray cluster of two nodes, both on this machine."""

    def services(self, place: Place) -> list[Service]:
        config = write_config(place.folder, self.deployments, self.arguments)
        if not cluster.temp_dir(place.folder).exists():
            cluster.make_temp_dir(place.folder)
        command = [sys.executable, "-m", "benchmarks.two_nodes", str(config), str(place.port)]
        environment = cluster.environment(place.folder, Profile(self.profile))
        return [Service(command, environment | _surroundings(place))]


def _surroundings(place: Place) -> dict[str, str]:
    """The sink that may be reached, and ports that nobody else has."""
    return {
        "AIGE_ALLOW_HOSTS": f"127.0.0.1:{place.sink_port}",
        "RAY_SERVE_HAPROXY_STATS_PORT": str(place.spare_port),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(free_port()),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(free_port()),
    }


def write_config(
    folder: Path,
    deployments: Mapping[str, Mapping[str, object]],
    arguments: Mapping[str, object],
    graph: str = "graph:build",
) -> Path:
    """`serve_config.yaml` with the engine of the benchmarks, other settings, and other options for the deployments that
    are named.
    """
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text(encoding="utf-8"))
    app = config["applications"][0]
    if app["import_path"] != graph:
        app |= {"import_path": graph, "deployments": []}
    app["args"] |= {"engine": "benchmarks.engine:InstantEngine", **arguments}
    for deployment in app["deployments"]:
        changes = deployments.get(deployment["name"], {})
        if "num_replicas" in changes:
            del deployment["autoscaling_config"]  # Serve takes one or the other
        deployment.update(changes)
    file = folder / "serve_config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    return file


def _uvicorn(app: str, place: Place, **environment: str) -> Service:
    options = ["--host", "127.0.0.1", "--port", str(place.port), "--no-access-log", "--log-level", "warning"]
    return Service([str(PEERS_BIN / "uvicorn"), f"{PEERS}.{app}", *options], environment)


def _redis(place: Place) -> Service:
    """Durable as its documentation has it: every write in the append-only file, which is synced every second."""
    where = ["--bind", "127.0.0.1", "--port", str(place.spare_port), "--dir", str(place.folder)]
    durable = ["--appendonly", "yes", "--appendfsync", "everysec", "--save", ""]
    return Service(["redis-server", *where, *durable, "--set-proc-title", "no"])


class FastApiDict:
    """The single-server shape: nothing is durable."""

    name = "fastapi_dict"
    title = "FastAPI + BackgroundTasks + dict"
    api = Api()

    def services(self, place: Place) -> list[Service]:
        return [_uvicorn("fastapi_dict.app:app", place)]


class CeleryRedis:
    """A FastAPI server, a broker, two workers."""

    name = "celery_redis"
    title = "Celery + Redis (AOF) + FastAPI"
    api = Api(done="SUCCESS")

    def services(self, place: Place) -> list[Service]:
        redis = f"redis://127.0.0.1:{place.spare_port}/0"
        worker = [str(PEERS_BIN / "celery"), "--app", f"{PEERS}.celery_redis.tasks", "worker", "--concurrency", "2"]
        return [
            _redis(place),
            Service([*worker, "--loglevel", "WARNING"], {"REDIS_URL": redis}),
            _uvicorn("celery_redis.app:app", place, REDIS_URL=redis),
        ]


class BentoMlTasks:
    """Tasks as BentoML serves them; nothing is durable on one's own server."""

    name = "bentoml_tasks"
    title = "BentoML tasks"
    api = Api(submit="/avatar/submit", status="/avatar/status?task_id={}", id_key="task_id", done="completed")

    def services(self, place: Place) -> list[Service]:
        where = ["--host", "127.0.0.1", "--port", str(place.port)]
        environment = {
            "BENTOML_HOME": str(place.folder),
            "BENTOML_DO_NOT_TRACK": "true",
            "BENTOML_CONFIG_OPTIONS": "api_server.logging.access.enabled=false",
            "PATH": f"{PEERS_BIN}:/usr/bin:/bin",
        }
        command = [str(PEERS_BIN / "bentoml"), "serve", f"{PEERS}.bentoml_tasks.service:Avatars", *where]
        return [Service(command, environment)]


class DbosSqlite:
    """Durable workflows, three steps each, in SQLite: the one peer with the same promise."""

    name = "dbos_sqlite"
    title = "DBOS on SQLite + FastAPI"
    api = Api(done="SUCCESS")

    def services(self, place: Place) -> list[Service]:
        database = f"sqlite:///{place.folder}/dbos.sqlite"
        return [_uvicorn("dbos_sqlite.app:app", place, DBOS_SYSTEM_DATABASE_URL=database)]


class ServeAsync:
    """Ray Serve's own asynchronous inference (alpha): a Celery consumer in a replica."""

    name = "serve_async"
    title = "Ray Serve async inference + Redis (AOF)"
    api = Api(done="SUCCESS")

    def services(self, place: Place) -> list[Service]:
        environment = {
            "REDIS_URL": f"redis://127.0.0.1:{place.spare_port}/0",
            "PORT": str(place.port),
            "RAY_TMPDIR": str(place.folder),
            "SPT_NOENV": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }
        command = [str(PEERS_BIN / "python"), "-m", f"{PEERS}.serve_async.app"]
        return [_redis(place), Service(command, environment)]


PEER_SYSTEMS: tuple[System, ...] = (FastApiDict(), CeleryRedis(), BentoMlTasks(), DbosSqlite(), ServeAsync())
