"""The objects of a PDF as plain values: read from qpdf's JSON in one call, changed in one call."""

import io
import json
import re
from typing import Any

import pikepdf

from vault.decoding.media import Undecodable

Value = Any
"""A name or a reference ("/Name", "12 0 R"), a string ("u:text", "b:hex"), a number, a boolean,
`None`, a list, a dictionary, or the `StreamDictionary` dictionary of a stream."""

MAX_OBJECTS = 400_000
_REFERENCE = re.compile(r"\d+ \d+ R")


class StreamDictionary(dict[str, Value]):
    """The dictionary of a stream; its data stays in qpdf."""


class Real(str):
    """A number with a fraction, as it is written."""

    __slots__ = ()


class Objects:
    """Every indirect object of an open PDF, by its reference."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        if len(pdf.objects) > MAX_OBJECTS:
            raise Undecodable
        out = io.BytesIO()
        pdf.write_qpdf_json(
            out,
            decode_level=pikepdf.StreamDecodeLevel.none,
            json_stream_data=pikepdf.JSONStreamData.none,
        )
        self._header, entries = json.loads(out.getvalue(), parse_float=Real)["qpdf"]
        self._pdf = pdf
        self.trailer: dict[str, Value] = entries.pop("trailer")["value"]
        self.by_reference: dict[str, Value] = {
            key[4:]: entry["value"]
            if "value" in entry
            else StreamDictionary(entry["stream"]["dict"])
            for key, entry in entries.items()
        }

    def resolved(self, value: Value) -> Value:
        """The value that a reference leads to, `None` for nothing; any other value itself."""
        for _ in range(8):
            if not is_reference(value):
                return value
            value = self.by_reference.get(value)
        return None

    def get(self, holder: Value, key: str) -> Value:
        """The resolved value of a key; `None` when there is none."""
        return self.resolved(holder.get(key)) if isinstance(holder, dict) else None

    def new_reference(self) -> str:
        """A reference that no object has yet."""
        self._header["maxobjectid"] += 1
        return f"{self._header['maxobjectid']} 0 R"

    def replace(self, changed: dict[str, Value]) -> None:
        """Writes objects back; a stream keeps its data."""
        entries = ",".join(
            f'"obj:{reference}":{{"stream":{{"dict":{_json(value)}}}}}'
            if isinstance(value, StreamDictionary)
            else f'"obj:{reference}":{{"value":{_json(value)}}}'
            for reference, value in changed.items()
        )
        header = json.dumps(self._header)
        update = f'{{"version":2,"qpdf":[{header},{{{entries}}}]}}'
        self._pdf.update_from_qpdf_json(io.BytesIO(update.encode()))

    def opened(self, reference: str) -> pikepdf.Object:
        """The object in qpdf."""
        number, generation, _ = reference.split(" ")
        return self._pdf.get_object(int(number), int(generation))


def is_reference(value: Value) -> bool:
    """Whether the value is a reference to an indirect object."""
    return (
        isinstance(value, str)
        and value[-2:] == " R"
        and value[0].isdigit()
        and _REFERENCE.fullmatch(value) is not None
    )


def text(value: Value) -> bytes:
    """The bytes of a string as qpdf reads it (UTF-8); empty for what is not a string."""
    if isinstance(value, str) and value.startswith("u:"):
        return value[2:].encode()
    if isinstance(value, str) and value.startswith("b:"):
        return bytes.fromhex(value[2:])
    return b""


def filters(objects: Objects, stream: StreamDictionary) -> list[str]:
    """The names of a stream's filters, in the order in which they are undone."""
    named = objects.get(stream, "/Filter")
    if named is None:
        return []
    return [str(objects.resolved(name)) for name in (named if isinstance(named, list) else [named])]


def _json(value: Value) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_json(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return str(value) if isinstance(value, Real) else json.dumps(value)
