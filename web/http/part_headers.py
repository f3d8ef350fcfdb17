"""Headers of a multipart form and of its parts (RFC 7578, RFC 2045, RFC 8187). Pure.

What real clients send is read: names in UTF-8 or in Latin letters of before, quotes written `\\"`
or `%22`, names of files by `filename*` alone. What could be read in two ways is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from base.errors import ErrorKind, ServiceError

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105  (RFC 9110's token)
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*(?:({_TOKEN})[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[^;"]*))?')
_QUOTED_PAIR = re.compile(r'\\(["\\])')
# What browsers write for the three characters that would end a name (WHATWG HTML, "Multipart form
# data"). Nothing else is decoded: « 100 %25 » is a name.
_WRITTEN_BY_BROWSERS = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))
_EXTENDED = re.compile(rf"({_TOKEN.replace(chr(39), '')})'[^']*'([!#$&+\-.^_`|~0-9A-Za-z%]*)")
_ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    # As browsers read it: the letters of Windows are in what was said to be ISO-8859-1.
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
    "iso-8859-15": "iso-8859-15",
}
_AS_THEY_ARE = frozenset({"", "binary", "8bit", "7bit"})


@dataclass(frozen=True, slots=True)
class Disposition:
    """What a part is: the name of its field; of its file, None where none was said; the encoding
    of its text, None where the part does not say."""

    name: str
    file_name: str | None = field(repr=False)
    is_file: bool
    encoding: str | None


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a form; None for what is no form."""
    kind, options = _parameters(content_type)
    if kind != "multipart/form-data":
        return None
    return options.get("boundary", "").encode("latin-1")


def disposition_of(headers: Mapping[str, str]) -> Disposition:
    """What a part is, by its headers in lower case, as Latin-1.

    Raises `ServiceError` MALFORMED: `malformed_form`; `part_encoded`, for bytes that would have to
    be decoded first.
    """
    if headers.get("content-transfer-encoding", "").strip().lower() not in _AS_THEY_ARE:
        raise ServiceError(ErrorKind.MALFORMED, "part_encoded")
    kind, options = _parameters(headers.get("content-disposition", ""))
    name = _extended(options["name*"]) if "name*" in options else _plain(options.get("name"))
    if kind != "form-data" or name is None:
        raise _malformed()
    extended = options.get("filename*")
    file_name = _file_name(options.get("filename")) if extended is None else _extended(extended)
    _, of_type = _parameters(headers.get("content-type", ""))
    stated = of_type.get("charset")
    encoding = None if stated is None else encoding_named(stated)
    is_file = any(key.startswith("filename") for key in options)
    return Disposition(name, file_name, is_file, encoding)


def encoding_named(charset: str) -> str:
    """Python's name of a character encoding. Raises `malformed_form` for any but those of Latin
    letters and UTF-8."""
    encoding = _ENCODINGS.get(charset.strip().lower())
    if encoding is None:
        raise _malformed()
    return encoding


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    """The value in lower case and its parameters. Raises `malformed_form` for one given twice."""
    kind, _, _ = value.partition(";")
    options: dict[str, str] = {}
    at = len(kind)
    while at < len(value):
        found = _PARAMETER.match(value, at)
        if found is None:
            raise _malformed()
        at = found.end()
        if found[1] is None:
            continue
        name, written = found[1].lower(), found[2]
        if name in options:
            raise _malformed()
        quoted = written.startswith('"')
        options[name] = _unquoted(written) if quoted else written.strip(" \t")
    return kind.strip(" \t").lower(), options


def _unquoted(written: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", written[1:-1])


def _plain(value: str | None) -> str | None:
    """A name that came as bytes: UTF-8, or the Latin letters that clients of before send."""
    if value is None:
        return None
    raw = value.encode("latin-1")
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        name = raw.decode("cp1252", "replace")
    for written, character in _WRITTEN_BY_BROWSERS:
        name = name.replace(written, character)
    return name


def _file_name(value: str | None) -> str | None:
    """A file's name; some clients send it whole in `%`, without saying so."""
    name = _plain(value)
    if name is None or not name.isascii():
        return name
    try:
        return unquote_to_bytes(name).decode()
    except UnicodeDecodeError:
        return name


def _extended(value: str) -> str:
    """`utf-8''re%C3%A7u.jpg` (RFC 8187 §3.2). Raises `malformed_form`."""
    found = _EXTENDED.fullmatch(value)
    if found is None:
        raise _malformed()
    return unquote_to_bytes(found[2]).decode(encoding_named(found[1]), "replace")


def _malformed() -> ServiceError:
    return ServiceError(ErrorKind.MALFORMED, "malformed_form")
