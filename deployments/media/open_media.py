"""From settings to the two things that every process opens: the object store, and the door out to the network."""

from deployments.media.destinations import parse_allow_hosts
from deployments.media.egress import AT_ONCE, Egress, EgressLimits
from deployments.media.storage import BuiltinStore, ObjectStore, load_or_create_secret, own_store
from deployments.settings import Environment, Settings

WEBHOOK_SECONDS = 15
"""How long a webhook's receiver may take to answer."""


def open_store(settings: Settings, environment: Environment) -> ObjectStore:
    """The configured object store."""
    if settings.s3 is not None:
        from deployments.media.storage.s3 import S3Store  # here, so that boto3 stays out where it is not used

        return S3Store(settings.s3.bucket, endpoint_url=settings.s3.endpoint_url, region=settings.s3.region)
    given = environment.aige_storage_secret
    secret = load_or_create_secret(
        environment.aige_data_dir / "storage.secret", given.get_secret_value() if given else None
    )
    return BuiltinStore(environment.aige_data_dir / "objects", secret, max_bytes=settings.limits.picture_bytes)


def open_egress(settings: Settings, environment: Environment) -> Egress:
    """The door out, as `AIGE_ALLOW_HOSTS` and the limits set it."""
    return Egress(
        allow=parse_allow_hosts(environment.aige_allow_hosts),
        limits=EgressLimits(redirects=settings.limits.redirects, total=settings.deadlines.fetch_s),
        store=own_store(open_store(settings, environment)),
    )


def open_webhook_egress(environment: Environment) -> Egress:
    """The door out for webhooks, which wait for slow receivers: nobody else uses it, and our own store takes none."""
    return Egress(
        allow=parse_allow_hosts(environment.aige_allow_hosts),
        limits=EgressLimits(total=WEBHOOK_SECONDS),
        lookups=AT_ONCE,
    )
