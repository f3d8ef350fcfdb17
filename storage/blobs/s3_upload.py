"""One object on its way to S3: the blocking half of a write, for one thread at a time."""

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

    Parts are sent one after the other. What a crash leaves is an
    unfinished multipart upload, invisible, aborted by the sweep.
    """

    def __init__(self, client: "S3Client", bucket: str, name: str) -> None:
        self._client = client
        self._bucket = bucket
        self._name = name
        # Kept with the object: tells our own write, whose answer was lost, from another's.
        self._mark = secrets.token_hex(16)
        self._identity: str | None = None
        self._parts: list[CompletedPartTypeDef] = []
        self._length = 0

    def part(self, part: Part) -> None:
        """Send one part; the server compares it with its MD5 before it takes it."""
        if self._identity is None:
            # A crash, or an answer lost, before the next line leaves an empty upload, swept.
            self._identity = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._name, Metadata={"upload": self._mark}
            )["UploadId"]
        number = len(self._parts) + 1
        answer = self._client.upload_part(
            Bucket=self._bucket,
            Key=self._name,
            UploadId=self._identity,
            PartNumber=number,
            Body=part.body(),
            ContentMD5=part.content_md5,
        )
        _compare(part, answer)
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})
        self._length += part.length

    def finish(self, rest: Part) -> None:
        """Send what is left and make the object visible.

        An error does not mean that nothing happened: a server that worked and whose answer was
        lost refuses boto3's own repetition (412, or 404 for an upload that is complete). Only the
        object itself tells, by its mark; without that proof the error stands.
        """
        self._length += 0 if self._identity else rest.length
        try:
            self._complete(rest) if self._identity else self._put(rest)
        except ERRORS:
            if not self._is_ours():
                raise
        self._identity = None

    def abandon(self) -> None:
        """Abort what was begun and not finished; a failure leaves it to the sweep."""
        if self._identity is not None:
            try:
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._name, UploadId=self._identity
                )
            except ERRORS as error:
                if not is_absence(error):
                    raise
            self._identity = None

    def _put(self, part: Part) -> None:
        answer = self._client.put_object(
            Bucket=self._bucket,
            Key=self._name,
            Body=part.body(),
            ContentMD5=part.content_md5,
            IfNoneMatch="*",
            Metadata={"upload": self._mark},
        )
        _compare(part, answer)

    def _complete(self, rest: Part) -> None:
        if rest.length:
            self.part(rest)
        # Ceph ignores If-None-Match here. Looking first leaves a gap between two writers of one
        # key, which keys that are random and used once do not have.
        if self._head() is not None:
            raise BlobExists
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._name,
            UploadId=self._identity or "",
            MultipartUpload={"Parts": self._parts},
            IfNoneMatch="*",
        )

    def _is_ours(self) -> bool:
        try:
            found = self._head()
        except ERRORS:
            return False
        if found is None:
            return False
        kept = (found["Metadata"].get("upload"), found["ContentLength"])
        return kept == (self._mark, self._length)

    def _head(self) -> "HeadObjectOutputTypeDef | None":
        try:
            return self._client.head_object(Bucket=self._bucket, Key=self._name)
        except ClientError as error:
            if is_absence(error):
                return None
            raise


def _compare(part: Part, answer: Any) -> None:
    """The ETag is the MD5 of what was kept, where it looks so and the server did not encrypt."""
    etag = answer.get("ETag", "").strip('"')
    encrypted = answer.get("ServerSideEncryption", "AES256") != "AES256"
    if encrypted or not _MD5.fullmatch(etag):
        return
    if etag != part.etag:
        raise InvalidBlob
