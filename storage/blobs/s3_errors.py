"""boto3's errors as the contract's errors, without any address, key, bucket or header."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from base.errors import ServiceError
from storage.blobs import BlobExists, BlobMissing, BlobUnavailable, InvalidBlob

ERRORS = (ClientError, BotoCoreError, HTTPError, OSError)
"""Everything that a call through boto3, or reading the body of its answer, may raise."""

_WORD = re.compile(r"[A-Za-z]{1,40}")
_BLOB_ERRORS: dict[str, type[BlobMissing | InvalidBlob | BlobExists]] = {
    "NoSuchKey": BlobMissing,
    "404": BlobMissing,  # an answer to HEAD has no body, so no code
    "InvalidRange": InvalidBlob,
    "PreconditionFailed": BlobExists,
}


def as_blob_error(error: Exception) -> ServiceError:
    """The contract's error for one of `ERRORS`.

    Refused credentials and a missing bucket are our failures, not answers about a blob.
    """
    if not isinstance(error, ClientError):
        number = error.errno if isinstance(error, OSError) else None
        return BlobUnavailable(errno.errorcode.get(number or 0, type(error).__name__))
    code = error.response.get("Error", {}).get("Code", "")
    if blob_error := _BLOB_ERRORS.get(code):
        return blob_error()
    if not _WORD.fullmatch(code):
        code = str(status(error))
    return BlobUnavailable(code)


@contextmanager
def of_the_bucket() -> Iterator[None]:
    """For a request about the bucket alone: a HEAD of a bucket that is missing says 404, as of a
    blob, and is a failure, no answer."""
    try:
        yield
    except ClientError as error:
        if not is_absence(error):
            raise
        raise BlobUnavailable("NoSuchBucket") from None


def status(error: Exception) -> int:
    """The HTTP status of the server's answer, or 0."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_absence(error: Exception) -> bool:
    """Whether the server answered that the key, upload or bucket does not exist."""
    return status(error) == HTTPStatus.NOT_FOUND
