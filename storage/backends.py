"""The storage of one process: keys, sealed fields and blobs, built from the settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from base.database import Database
from base.part_state import PartStates
from base.settings import Settings
from storage.blobs import BlobStore
from storage.blobs.directory import DirectoryStore
from storage.blobs.reports import StoreReport
from storage.field_encryption import FieldEncryption
from storage.keys import Keys
from storage.providers import KeyProvider
from storage.providers.local import LocalKeyring


def _aws_kms() -> type[KeyProvider]:
    from storage.providers.aws_kms import AwsKms  # noqa: PLC0415  (memory: boto3 takes 8 MiB)

    return AwsKms


KEY_PROVIDERS: Mapping[str, Callable[[], type[KeyProvider]]] = {
    "local": lambda: LocalKeyring,
    "aws-kms": _aws_kms,
}
"""By name; each imports what it needs only where it is the one that the settings name."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What the layers above get. `keys` is for this layer, erasure and rotation only."""

    keys: Keys
    field_encryption: FieldEncryption
    blobs: BlobStore


def key_provider(
    settings: Settings,
    providers: Mapping[str, Callable[[], type[KeyProvider]]] = KEY_PROVIDERS,
) -> KeyProvider:
    """The root of trust that the settings name, among `providers`."""
    return providers[settings.key_provider]().from_settings(settings)


def blob_store(settings: Settings, parts: PartStates | None = None) -> BlobStore:
    """The store that the settings name, which tells `parts` whether it answers."""
    report = StoreReport(parts or PartStates())
    if settings.blob_store == "s3":
        from storage.blobs.s3 import S3Settings, S3Store  # noqa: PLC0415  (memory: boto3)

        return S3Store(
            S3Settings(
                bucket=settings.s3_bucket,
                region=settings.s3_region,
                endpoint_url=settings.s3_endpoint_url,
                access_key=settings.s3_access_key,
                secret_key=settings.s3_secret_key,
                parts_folder=settings.s3_parts_folder,
            ),
            report,
        )
    return DirectoryStore(settings.home / "blobs", report=report)


def open_storage(settings: Settings, database: Database, parts: PartStates) -> Storage:
    """Build a process's storage. Nothing is read yet."""
    keys = Keys(database, key_provider(settings), parts.keys)
    return Storage(keys, FieldEncryption(keys), blob_store(settings, parts))
