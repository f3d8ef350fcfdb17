"""Uploading one object to S3: the blocking half of a write, for one thread at a time."""

import re
import secrets
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from storage.blobs import BlobExists, InvalidBlob
from storage.blobs.s3_errors import ERRORS, is_absence
from storage.blobs.s3_part import Part

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, HeadObjectOutputTypeDef

_MD5 = re.compile(r"[0-9a-f]{32}")


class Upload:
    """A put, or a multipart upload once there is a first part, that never overwrites.

    Parts are sent one after the other. A crash leaves an unfinished multipart upload, which is
    invisible, and aborted by the sweep.
    """

    def __init__(self, client: "S3Client", quick: "S3Client", bucket: str, name: str) -> None:
        """`quick` asks once and does not wait long: what is done after a failure."""
        self._client = client
        self._quick = quick
        self._bucket = bucket
        self._name = name
        # Stored with the object: identifies our own write when its answer was lost.
        self._mark = secrets.token_hex(16)
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []
        self._length = 0
        self._unreachable = False

    def part(self, part: Part) -> None:
        """Send one part; the server checks its MD5 before it accepts it."""
        if self._upload_id is None:
            # A crash or a lost answer here leaves an empty upload, which the sweep aborts.
            self._upload_id = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._name, Metadata={"upload": self._mark}
            )["UploadId"]
        number = len(self._parts) + 1
        response = self._client.upload_part(
            Bucket=self._bucket,
            Key=self._name,
            UploadId=self._upload_id,
            PartNumber=number,
            Body=part.body(),
            ContentMD5=part.content_md5,
        )
        _compare(part, response)
        self._parts.append({"PartNumber": number, "ETag": response["ETag"]})
        self._length += part.length

    def finish(self, rest: Part) -> None:
        """Send what is left and make the object visible.

        An error does not mean that nothing happened: a server that succeeded and whose answer was
        lost refuses boto3's own retry (412, or 404 for an upload that is complete). Only the mark
        on the object proves that it was written; without it the error is raised.
        """
        self._length += 0 if self._upload_id else rest.length
        try:
            self._complete(rest) if self._upload_id else self._put(rest)
        except ERRORS:
            if not self._is_ours():
                raise
        self._upload_id = None

    def abandon(self) -> None:
        """Abort an unfinished multipart upload; a failure leaves it to the sweep, and so does a
        store that did not answer just now: the caller waits for its own answer."""
        if self._upload_id is not None and not self._unreachable:
            try:
                self._quick.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._name, UploadId=self._upload_id
                )
            except ERRORS as error:
                if not is_absence(error):
                    raise
            self._upload_id = None

    def _put(self, part: Part) -> None:
        response = self._client.put_object(
            Bucket=self._bucket,
            Key=self._name,
            Body=part.body(),
            ContentMD5=part.content_md5,
            IfNoneMatch="*",
            Metadata={"upload": self._mark},
        )
        _compare(part, response)

    def _complete(self, rest: Part) -> None:
        if rest.length:
            self.part(rest)
        # Ceph ignores If-None-Match here. Checking first is a race between two writers of one
        # key, but keys are random and used once.
        if self._head(self._client) is not None:
            raise BlobExists
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._name,
            UploadId=self._upload_id or "",
            MultipartUpload={"Parts": self._parts},
            IfNoneMatch="*",
        )

    def _is_ours(self) -> bool:
        try:
            head = self._head(self._quick)
        except ERRORS:
            self._unreachable = True
            return False
        if head is None:
            return False
        stored = (head["Metadata"].get("upload"), head["ContentLength"])
        return stored == (self._mark, self._length)

    def _head(self, client: "S3Client") -> "HeadObjectOutputTypeDef | None":
        try:
            return client.head_object(Bucket=self._bucket, Key=self._name)
        except ClientError as error:
            if is_absence(error):
                return None
            raise


def _compare(part: Part, response: Any) -> None:
    """Compare the ETag with the part's MD5, if it looks like one and the server did not encrypt."""
    etag = response.get("ETag", "").strip('"')
    encrypted = response.get("ServerSideEncryption", "AES256") != "AES256"
    if encrypted or not _MD5.fullmatch(etag):
        return
    if etag != part.etag:
        raise InvalidBlob
