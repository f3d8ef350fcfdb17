"""What boto3 raises, in the contract's words: no address, key, bucket or header comes along."""

import re
from http import HTTPStatus

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from base.errors import ServiceError
from storage.blobs import BlobExists, BlobMissing, BlobUnavailable, InvalidBlob

ERRORS = (ClientError, BotoCoreError, HTTPError, OSError)
"""Everything that a call through boto3, or reading the body of its answer, may raise."""

_WORD = re.compile(r"[A-Za-z]{1,40}")
_ANSWERS: dict[str, type[BlobMissing | InvalidBlob | BlobExists]] = {
    "NoSuchKey": BlobMissing,
    "404": BlobMissing,  # the answer to HEAD has no body and so no code
    "InvalidRange": InvalidBlob,
    "PreconditionFailed": BlobExists,
}


def as_blob_error(error: Exception) -> ServiceError:
    """The contract's error for one of `ERRORS`.

    Refused credentials and a missing bucket are failures of ours, not answers about a blob.
    """
    if not isinstance(error, ClientError):
        return BlobUnavailable(type(error).__name__)
    code = error.response.get("Error", {}).get("Code", "")
    if answer := _ANSWERS.get(code):
        return answer()
    if not _WORD.fullmatch(code):
        code = str(status(error))
    return BlobUnavailable(code)


def status(error: Exception) -> int:
    """The HTTP status that the server gave, or 0."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_absence(error: Exception) -> bool:
    """Whether the server said that the thing (key, upload or bucket) is not there."""
    return status(error) == HTTPStatus.NOT_FOUND
