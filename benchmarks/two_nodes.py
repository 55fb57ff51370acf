"""A Ray cluster of two nodes on this machine, with the application on it; runs until it is ended.

Arguments: the config file, the port.
"""

import os
import signal
import sys
import time
from pathlib import Path

import ray
import yaml
from ray import serve
from ray._common.utils import get_default_ray_temp_dir  # what Cluster asks
from ray.cluster_utils import Cluster
from ray.serve._private.api import serve_start
from ray.serve.schema import ServeDeploySchema

from scripts import cluster, processes

OBJECT_STORE_BYTES = 128 * 2**20


def main() -> None:
    """Starts, deploys, and waits."""
    config = ServeDeploySchema.model_validate(yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8")))
    config.http_options.port = int(sys.argv[2])
    # Cluster notes its address there, and does not make the folder.
    Path(str(get_default_ray_temp_dir())).mkdir(parents=True, exist_ok=True)  # type: ignore[no-untyped-call]
    nodes = Cluster(
        initialize_head=True,
        head_node_args={
            "num_cpus": 1,
            "object_store_memory": OBJECT_STORE_BYTES,
            "temp_dir": str(cluster.ray_dir(Path(os.environ[processes.MARK]))),
        },
    )
    nodes.add_node(num_cpus=1, object_store_memory=OBJECT_STORE_BYTES)
    ray.init(nodes.address, namespace="serve", log_to_driver=False)
    client = serve_start(
        proxy_location=config.proxy_location,
        http_options=config.http_options.model_dump(),
        global_logging_config=config.logging_config,
    )
    client.deploy_apps(config, _blocking=False)
    while serve.status().applications[config.applications[0].name].status != "RUNNING":
        time.sleep(0.5)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
