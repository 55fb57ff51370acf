"""An S3 server with one empty bucket, which checks signatures; says "ready", and serves until it is killed.

python -m tests.cluster.bucket ADDRESS PORT BUCKET FOLDER
"""

import os
import subprocess
import sys
from pathlib import Path

import boto3


def main(address: str, port: str, bucket: str, folder: str) -> None:
    settings = {"GATEWAY_PORT": port, "BIND_HOST": address, "SERVICES": "s3,iam,sts", "AUTH": "true"}
    with subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "ministack"],  # noqa: S607 - util-linux, on the PATH
        env=os.environ | settings,
        cwd=Path(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout is not None
        assert any("Running on" in line for line in server.stdout), "ministack did not start"
        client = boto3.client("s3", endpoint_url=f"http://{address}:{port}", region_name="us-east-1")
        client.create_bucket(Bucket=bucket)
        print("ready", flush=True)
        for _ in server.stdout:
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
