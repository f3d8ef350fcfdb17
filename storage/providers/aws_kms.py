"""AWS KMS: each root version is a KMS key; the wrapped secrets are its ciphertexts.

The context is sent as KMS's encryption context: AWS authenticates it, and writes it in its own log
(CloudTrail). It contains opaque ids only.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from base.settings import Settings
from storage import boto_limits, boto_models
from storage.providers import KeyProviderError
from storage.thread_pool import ThreadPool

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

_ERRORS = (ClientError, BotoCoreError, HTTPError, OSError)
_WORD = re.compile(r"[A-Za-z]{1,60}")
_DELETION_STATES = {"PendingDeletion", "PendingReplicaDeletion"}
_MIN_DELETION_DAYS = 7  # AWS deletes no key sooner; until then it is unusable


@dataclass(frozen=True, slots=True)
class KmsSettings:
    """Where the KMS is, and the limits (times in seconds).

    `first_key` is the id, alias or ARN of a key that the operator created. The credentials are
    those that boto3 finds: a role, or the environment.
    """

    region: str
    endpoint_url: str | None = None
    first_key: str | None = None
    connections: int = 8
    connect_timeout: float = boto_limits.CONNECT_SECONDS
    read_timeout: float = 5.0
    attempts: int = boto_limits.ATTEMPTS


class AwsKms:
    """Wraps with KMS `Encrypt` under one key per version, named by its ARN.

    Is trusted to keep the keys, to give them to nobody else, and to delete them on request.
    """

    name: ClassVar[str] = "aws-kms"

    def __init__(self, settings: KmsSettings) -> None:
        self._first_key = settings.first_key
        self._client = _client(settings)
        self._threads = ThreadPool(
            settings.connections,
            "kms",
            errors=_ERRORS,
            convert_error=_as_provider_error,
            queue_seconds=boto_limits.QUEUE_SECONDS,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """As the contract: the KMS of `kms_region` or `kms_endpoint_url`."""
        return cls(KmsSettings(settings.kms_region, settings.kms_endpoint_url, settings.kms_key_id))

    async def create(self, known: Collection[str] = ()) -> str:
        """As the contract: the operator's key if it is not in `known`, else a new one.

        A crash, or a lost answer, leaves a key at AWS that wraps nothing.
        """
        return await self._threads.run(self._create, known)

    async def wrap(self, version: str, secret: bytes, context: Mapping[str, str]) -> bytes:
        """As the contract."""
        return await self._threads.run(self._wrap, version, secret, context)

    async def unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """As the contract. The key is named, so that a wrap under another key is refused."""
        return await self._threads.run(self._unwrap, version, wrapped, context)

    async def destroy(self, version: str) -> None:
        """As the contract, except that AWS keeps the key, unusable, for 7 more days: until then an
        administrator of the AWS account can restore it."""
        await self._threads.run(self._destroy, version)

    async def check(self, version: str) -> None:
        """As the contract."""
        key = await self._threads.run(self._describe, version)
        if key["KeyState"] != "Enabled" or key["KeyUsage"] != "ENCRYPT_DECRYPT":
            raise KeyProviderError("aws-kms: the key is not enabled for encryption")

    def close(self) -> None:
        """End the threads and the connections."""
        self._threads.close()
        self._client.close()

    def _create(self, known: Collection[str]) -> str:
        if self._first_key is not None:
            arn = str(self._describe(self._first_key)["Arn"])
            if arn not in known:
                return arn
        response = self._client.create_key(
            Description="Root version of unefois: wraps its secrets",
            KeySpec="SYMMETRIC_DEFAULT",
            KeyUsage="ENCRYPT_DECRYPT",
            Tags=[{"TagKey": "service", "TagValue": "unefois"}],
        )
        return response["KeyMetadata"]["Arn"]

    def _wrap(self, version: str, secret: bytes, context: Mapping[str, str]) -> bytes:
        response = self._client.encrypt(
            KeyId=version, Plaintext=secret, EncryptionContext=dict(context)
        )
        return bytes(response["CiphertextBlob"])

    def _unwrap(self, version: str, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        response = self._client.decrypt(
            KeyId=version, CiphertextBlob=wrapped, EncryptionContext=dict(context)
        )
        return bytes(response["Plaintext"])

    def _destroy(self, version: str) -> None:
        try:
            key = self._describe(version)
        except self._client.exceptions.NotFoundException:
            return
        if key["KeyState"] not in _DELETION_STATES:
            self._client.schedule_key_deletion(
                KeyId=key["KeyId"], PendingWindowInDays=_MIN_DELETION_DAYS
            )

    def _describe(self, version: str) -> dict[str, Any]:
        return dict(self._client.describe_key(KeyId=version)["KeyMetadata"])


def _as_provider_error(error: Exception) -> KeyProviderError:
    """The contract's error, with AWS's error code and no address, ARN or request."""
    name = type(error).__name__
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        name = code if _WORD.fullmatch(code) else name
    return KeyProviderError(f"aws-kms: {name}")


def _client(settings: KmsSettings) -> "KMSClient":
    client = boto_models.new_session().client(
        "kms",
        region_name=settings.region,
        endpoint_url=settings.endpoint_url,
        config=boto_limits.limits(
            settings.connect_timeout, settings.read_timeout, settings.attempts
        ).merge(Config(max_pool_connections=settings.connections)),
    )
    boto_limits.stop_late_retries(client)
    return client
