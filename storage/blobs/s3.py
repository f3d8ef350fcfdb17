"""Blobs as objects of an S3 bucket, through boto3 in threads."""

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import IncompleteReadError, ResponseStreamingError
from botocore.handlers import add_expect_header
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from base import clock
from base.part_state import PartStates
from storage import boto_limits, boto_models
from storage.blobs import (
    BlobInfo,
    BlobKey,
    BlobMissing,
    BlobStore,
    BlobUnavailable,
    Bytes,
    InvalidBlob,
    Place,
    checked_prefix,
)
from storage.blobs.reports import StoreReport
from storage.blobs.s3_errors import ERRORS, as_blob_error, of_the_bucket
from storage.blobs.s3_part import Part
from storage.blobs.s3_upload import Upload
from storage.thread_pool import ThreadPool

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.literals import BucketLocationConstraintType
    from types_boto3_s3.type_defs import CreateBucketRequestTypeDef

_BODY_ERRORS = (IncompleteReadError, ResponseStreamingError, HTTPError)
"""What reading a body raises when the connection breaks; boto3 retries everything else."""

BODIES = 16
"""Bodies of answers in memory at once: a segment each, most of them. Those that are whole wait for
the event loop, which may be busy with something else: without a limit, one for each download."""

MIN_PART_BYTES = 5 * 1024 * 1024
"""S3 refuses smaller parts, except the last one."""


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where the bucket is, the credentials, and the limits (times in seconds).

    Without keys, boto3 looks for them in its usual places (a role, the environment). Without an
    endpoint, the bucket is at AWS. `attempts` limits each request, retried after growing, random
    pauses on 5xx, throttling and cut connections, within `boto_limits.RETRY_SECONDS`. Sealed parts
    wait in `parts_folder`, or in the system's folder for temporary files, in files without a name.
    """

    bucket: str
    region: str
    endpoint_url: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: SecretStr | None = field(default=None, repr=False)
    prefix: str = ""
    connections: int = 32
    connect_timeout: float = boto_limits.CONNECT_SECONDS
    read_timeout: float = boto_limits.READ_SECONDS
    attempts: int = boto_limits.ATTEMPTS
    check_timeout: float = boto_limits.QUICK_SECONDS
    part_bytes: int = MIN_PART_BYTES
    parts_folder: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what would fail later or leak."""
        checked_prefix(self.prefix)
        if self.part_bytes < MIN_PART_BYTES:
            raise ValueError("S3 parts are at least 5 MiB")
        if self.endpoint_url is not None:
            parts = urlsplit(self.endpoint_url)
            if parts.scheme not in {"http", "https"} or "@" in parts.netloc:
                raise ValueError("the S3 endpoint is an http(s) address without credentials")


class S3Store(BlobStore):
    """A bucket, dedicated or shared under a prefix; without versioning, so that deletions are real.

    Is trusted: to keep what it acknowledged. Is *not* trusted: with content; can at most lose,
    withhold or swap ciphertexts, which their reader detects.
    """

    def __init__(self, settings: S3Settings, report: StoreReport | None = None) -> None:
        self._settings = settings
        self._bucket = settings.bucket
        self._report = report or StoreReport(PartStates())
        self._client = _client(settings)
        # Asks once: for probes, and for what is looked up or undone after a failure.
        self._quick = _client(
            replace(
                settings,
                connect_timeout=boto_limits.QUICK_CONNECT_SECONDS,
                read_timeout=settings.check_timeout,
                attempts=1,
            )
        )
        for client in (self._client, self._quick):
            client.meta.events.register("after-call.s3", self._note_answer)
        # As many threads as connections: a thread never waits for a connection of the pool.
        self._threads = ThreadPool(
            settings.connections,
            "s3",
            errors=ERRORS,
            convert_error=as_blob_error,
            failed=self._report.failed,
            queue_seconds=boto_limits.QUEUE_SECONDS,
        )
        self._bodies = asyncio.Semaphore(BODIES)

    def _note_answer(self, http_response: Any, **_: Any) -> None:
        if http_response.status_code < HTTPStatus.BAD_REQUEST:
            self._report.answered()

    @asynccontextmanager
    async def writer(self, key: BlobKey) -> AsyncIterator["_Writer"]:
        """As the contract; `BlobExists` at `commit()`. Memory use is small (`s3_part`)."""
        upload = Upload(self._client, self._quick, self._bucket, self._name(key))
        part = Part(self._settings.parts_folder, self._report.written)
        try:
            yield _Writer(self._threads, upload, part, self._settings.part_bytes)
        finally:
            part.close()
            with suppress(BlobUnavailable):  # the upload is invisible, and the sweep aborts it
                await self._threads.clean_up(upload.abandon)

    @asynccontextmanager
    async def reader(self, key: BlobKey) -> AsyncIterator["_Reader"]:
        """As the contract; `BlobMissing` at the first read.

        Nothing is held between two reads, so a stalled download costs no connection.
        """
        yield _Reader(self, key)

    async def fetch(self, key: BlobKey, offset: int, length: int) -> bytes:
        """One ranged GET; its body is read whole, so that the connection returns to the pool."""
        return await self._body(partial(self._range, key, offset, length))

    def _range(self, key: BlobKey, offset: int, length: int) -> bytes:
        last = offset + length - 1
        response = self._client.get_object(
            Bucket=self._bucket, Key=self._name(key), Range=f"bytes={offset}-{last}"
        )
        with closing(response["Body"]) as body:
            if not response.get("ContentRange", "").startswith(f"bytes {offset}-{last}/"):
                raise InvalidBlob
            data = bytes(body.read())
        if len(data) != length:
            raise InvalidBlob
        return data

    async def put(self, key: BlobKey, data: Bytes) -> None:
        """As the contract. Completed even if cancelled, or it could undo a later `put`."""
        await self._threads.run_to_end(self._put, key, data)

    def _put(self, key: BlobKey, data: Bytes) -> None:
        with closing(Part(self._settings.parts_folder, self._report.written)) as part:
            part.add(data)
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._name(key),
                Body=part.body(),
                ContentMD5=part.content_md5,
            )

    async def get(self, key: BlobKey, limit: int) -> bytes:
        """As the contract."""
        return await self._body(partial(self._get, key, limit))

    def _get(self, key: BlobKey, limit: int) -> bytes:
        response = self._client.get_object(Bucket=self._bucket, Key=self._name(key))
        with closing(response["Body"]) as body:
            if response["ContentLength"] > limit:
                raise InvalidBlob
            return bytes(body.read())

    async def exists(self, key: BlobKey) -> bool:
        """As the contract."""
        try:
            await self._threads.run(self._client.head_object, **self._object(key))
        except BlobMissing:
            # HEAD answers 404 for a missing bucket too, which proves nothing about the blob.
            await self._reach_bucket()
            return False
        return True

    async def delete(self, key: BlobKey) -> None:
        """As the contract."""
        with suppress(BlobMissing):
            await self._threads.run_to_end(self._client.delete_object, **self._object(key))

    async def page(
        self, prefix: str = "", after: BlobKey | None = None, limit: int = 1000
    ) -> list[BlobInfo]:
        """As the contract."""
        return await self._threads.run(self._page, checked_prefix(prefix), after, limit)

    def _page(self, prefix: str, after: BlobKey | None, limit: int) -> list[BlobInfo]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket,
            Prefix=self._settings.prefix + prefix,
            StartAfter=self._name(after) if after else "",
            PaginationConfig={"PageSize": min(limit, 1000)},
        )
        entries = (entry for page in pages for entry in page.get("Contents", []))
        return list(islice(self._infos(entries), limit))

    def _infos(self, entries: Iterator[Any]) -> Iterator[BlobInfo]:
        for entry in entries:
            with suppress(ValueError):  # not ours: an object that somebody else put here
                key = BlobKey(entry["Key"][len(self._settings.prefix) :])
                yield BlobInfo(key, entry["Size"], entry["LastModified"])

    async def sweep_temporary(self, before: datetime) -> int:
        """As the contract."""
        return await self._threads.run(self._sweep, before)

    def _sweep(self, before: datetime) -> int:
        swept = 0
        pages = self._client.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=self._settings.prefix
        )
        for upload in (upload for page in pages for upload in page.get("Uploads", [])):
            if upload["Initiated"] < before:
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )
                swept += 1
        return swept

    async def check(self) -> None:
        """As the contract: the bucket answers in `check_timeout`; the parts folder is writable."""
        folder = self._settings.parts_folder
        if folder is not None and not os.access(folder, os.W_OK | os.X_OK):
            raise self._report.failure("parts folder not writable")
        try:
            async with asyncio.timeout(self._settings.check_timeout):
                await self._reach_bucket()
        except TimeoutError:
            raise self._report.failure("timeout") from None

    async def _reach_bucket(self) -> None:
        await self._threads.run(self._head_bucket)

    def _head_bucket(self) -> None:
        with of_the_bucket():
            self._quick.head_bucket(Bucket=self._bucket)

    async def make_bucket(self) -> None:
        """Create the bucket on an installation's own S3 server; an existing one is fine."""
        await self._threads.run(self._make_bucket)

    def _make_bucket(self) -> None:
        request: CreateBucketRequestTypeDef = {"Bucket": self._bucket}
        if self._settings.endpoint_url is None and self._settings.region != "us-east-1":
            region = cast("BucketLocationConstraintType", self._settings.region)
            request["CreateBucketConfiguration"] = {"LocationConstraint": region}
        with suppress(self._client.exceptions.BucketAlreadyOwnedByYou):
            self._client.create_bucket(**request)

    async def close(self) -> None:
        """As the contract."""
        self._threads.close()
        self._client.close()
        self._quick.close()

    async def _body(self, call: Callable[[], bytes]) -> bytes:
        """A call that reads a body. One that arrives too slowly is left to its thread. The caller
        copies it before it waits for anything else: it is counted no longer. The wait for a turn
        counts too, but one that was all wait is no fault of the store's."""
        began = False
        try:
            async with asyncio.timeout(boto_limits.BODY_SECONDS), self._bodies:
                began = True
                return await self._threads.run(self._with_retries, call)
        except TimeoutError:
            late = self._report.failure if began else BlobUnavailable
            raise late("timeout") from None

    def _with_retries(self, call: Callable[[], bytes]) -> bytes:
        began = clock.monotonic()
        for attempt in range(1, self._settings.attempts):
            try:
                return call()
            except _BODY_ERRORS:
                if not boto_limits.may_retry(began):
                    raise
            time.sleep(secrets.SystemRandom().uniform(0, 0.1 * 2**attempt))
        return call()

    def _name(self, key: BlobKey) -> str:
        return self._settings.prefix + key

    def _object(self, key: BlobKey) -> "_Object":
        return {"Bucket": self._bucket, "Key": self._name(key)}


class _Object(TypedDict):
    Bucket: str
    Key: str


class _Writer:
    """The contract's writer: collects a part, sends it, and reuses its buffer for the next.

    One part at a time, none sent in parallel: the phone limits an upload's speed, not the store.
    """

    def __init__(self, threads: ThreadPool, upload: Upload, part: Part, part_bytes: int) -> None:
        self._threads = threads
        self._upload = upload
        self._part = part
        self._part_bytes = part_bytes
        self._state: Literal["open", "busy", "ended"] = "open"

    async def write(self, data: Bytes) -> None:
        self._start_call()
        await self._threads.run_to_end(self._write, memoryview(data).cast("B"))
        self._state = "open"

    def _write(self, view: memoryview) -> None:
        while view:
            room = self._part_bytes - self._part.length
            self._part.add(view[:room])
            view = view[room:]
            if self._part.length == self._part_bytes:
                self._upload.part(self._part)
                self._part.empty()

    async def commit(self) -> None:
        self._start_call()
        await self._threads.run_to_end(self._upload.finish, self._part)
        self._state = "ended"

    def _start_call(self) -> None:
        if self._state != "open":
            raise RuntimeError("this blob was committed, or a write of it failed")
        self._state = "busy"  # stays busy after a failure: a partial write is never committed


class _Reader:
    """The contract's reader: it holds only a key."""

    def __init__(self, store: S3Store, key: BlobKey) -> None:
        self._store = store
        self._key = key

    async def read_into(self, offset: int, length: int, place: Place) -> memoryview:
        data = await self._store.fetch(self._key, offset, length)
        # Copied here, not in the thread: after a cancellation the thread is still reading.
        view = place()
        view[:] = data
        return view


def _client(settings: S3Settings) -> "S3Client":
    secret = settings.secret_key.get_secret_value() if settings.secret_key else None
    client = boto_models.shared_session().client(
        "s3",
        region_name=settings.region,
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=secret,
        endpoint_url=settings.endpoint_url,
        config=boto_limits.limits(
            settings.connect_timeout, settings.read_timeout, settings.attempts
        ).merge(
            Config(
                max_pool_connections=settings.connections,
                signature_version="s3v4",
                s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
                # Ceph does not support x-amz-checksum-*; each put has a Content-MD5 instead.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            )
        ),
    )
    boto_limits.stop_late_retries(client)
    # boto3 would send `Expect: 100-continue` before a file: one more round trip for each put, and
    # a second of waiting where a server or a proxy does not answer it.
    client.meta.events.unregister("before-call.s3", add_expect_header)
    return client
