"""An S3 bucket, or any store that speaks S3's protocol, as the object store."""

from datetime import UTC, datetime

import boto3
from botocore.config import Config

from deployments.errors import SettingsError
from deployments.media.storage.base import READ_LIFETIME, WRITE_LIFETIME, Presigned, checked_key


class S3Store:
    """An `ObjectStore` that signs for the objects `prefix` + key of `bucket`, with the credentials that boto3 finds.

    A signature binds method, object and expiry, and no header: browsers send types of their own. It is made here,
    without asking S3; whether the bucket is there shows with the first PUT.

    Raises:
        SettingsError: there are no credentials.
    """

    def __init__(
        self, bucket: str, endpoint_url: str | None = None, region: str = "us-east-1", prefix: str = ""
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        session = boto3.Session()
        if session.get_credentials() is None:
            raise SettingsError("S3 needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
        # Other servers seldom have a name for each bucket. AWS does, and redirects whoever does not use the region's.
        config = Config(
            signature_version="s3v4", s3={"addressing_style": "virtual" if endpoint_url is None else "path"}
        )
        self._client = session.client("s3", endpoint_url=endpoint_url, region_name=region, config=config)

    def presign(self, key: str | None, base_url: str) -> Presigned:
        """See `ObjectStore`; the bucket has an address of its own, so `base_url` plays no part."""
        key = checked_key(key)
        place = {"Bucket": self._bucket, "Key": self._prefix + key}
        expires_at = datetime.now(UTC) + WRITE_LIFETIME
        sign = self._client.generate_presigned_url
        return Presigned(
            key=key,
            write_url=sign("put_object", Params=place, ExpiresIn=int(WRITE_LIFETIME.total_seconds())),
            read_url=sign("get_object", Params=place, ExpiresIn=int(READ_LIFETIME.total_seconds())),
            expires_at=expires_at,
        )
