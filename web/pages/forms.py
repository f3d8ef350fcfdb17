"""Forms as they are sent: from our own pages only; small ones read whole, ones with files streamed.

Each is checked twice: the browser says where the form came from (`Sec-Fetch-Site`, `Origin`), and
the form carries a token that only this session's pages have.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from fastapi import Request

from auth.subjects import Person
from base.errors import ErrorKind, ServiceError, invalid
from base.key_names import PAGE_FORM
from base.settings import Settings
from vault.documents.intake import IncomingFile
from vault.documents.uploads.finished_uploads import finished_uploads
from vault.services import Services
from web.http.uploads import MultipartForm

TOKEN = "form"  # noqa: S105  (the field's name)
HEADER = "X-Form"
"""Of what a page's script sends that is no form: the same token."""
UPLOADS = "uploads"
"""The field that names finished uploads, by their ids with commas between."""
HOLDS_SECRET = "unefois.holds_secret"  # noqa: S105  (the name of a mark)
"""In the scope: whether the form that was sent has a field of `SECRETS`."""
SECRETS = frozenset({"again", "card", "code", "pin", "proof"}) | frozenset(
    {"family_name", "given_name", "birth_date", "document_end", "trusted_code"}
)
"""The fields that hold a PIN, a card's code, a code of one time or of somebody trusted, or who
somebody is on their identity paper, wherever they stand."""
MAX_BYTES = 64 * 1024
MAX_FIELDS = 1500
_TAG_BYTES = 32


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form, in order."""

    pairs: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def get(self, name: str) -> str:
        """The last value of a field, stripped; empty when there is none."""
        return next((value.strip() for key, value in reversed(self.pairs) if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field: ticked boxes."""
        return tuple(dict.fromkeys(value for key, value in self.pairs if key == name))

    def has(self, name: str) -> bool:
        """Whether a box was ticked."""
        return any(key == name for key, _ in self.pairs)


class UploadForm:
    """A form with files. Its token is checked once it is complete, before any of it is kept.

    `person`: whose finished uploads it may name, after its files.
    """

    def __init__(
        self, form: MultipartForm, services: Services, secret: str, person: Person | None = None
    ) -> None:
        self._form = form
        self._services = services
        self._secret = secret
        self._person = person

    @property
    def fields(self) -> dict[str, str]:
        """The fields read so far; all of them once the files are read."""
        return self._form.fields

    @property
    def announced(self) -> int:
        """The bytes of its files at least; 0 when not said."""
        return self._form.announced

    async def files(self) -> AsyncIterator[IncomingFile]:
        """The files, one at a time. Raises `form_expired` after the last of a form not ours."""
        async for file in self._form.files():
            yield file
        await check(self._services, self._secret, self.fields.get(TOKEN, ""))
        if self._person is not None:
            for upload in await finished_uploads(self._services, self._person, self.uploads()):
                yield upload

    def uploads(self) -> list[UUID]:
        """The finished uploads that it names, each once, when the files are read. Raises
        `unknown_upload`."""
        try:
            named = [UUID(one) for one in self.fields.get(UPLOADS, "").split(",") if one]
            return list(dict.fromkeys(named))
        except ValueError:
            raise invalid("unknown_upload", fields=[("file",)]) from None


async def token_for(services: Services, secret: str) -> str:
    """A token for the forms of the holder of `secret`: different each time, so that a page's
    compressed length reveals nothing of it."""
    tag = await _tag(services, secret)
    mask = secrets.token_bytes(_TAG_BYTES)
    return base64.urlsafe_b64encode(mask + _xor(mask, tag)).decode().rstrip("=")


async def check(services: Services, secret: str, token: str) -> None:
    """Raise `form_expired` unless the token was made for that secret."""
    try:
        raw = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    valid = len(raw) == 2 * _TAG_BYTES and hmac.compare_digest(
        _xor(raw[:_TAG_BYTES], raw[_TAG_BYTES:]), await _tag(services, secret)
    )
    if not valid:
        raise expired()


def check_origin(request: Request, settings: Settings) -> None:
    """Raise `form_expired` for a form that another site's page sent."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise expired()
    origin = request.headers.get("origin")
    if origin is None or (origin == "null" and site == "same-origin"):
        return
    if not _is_ours(origin, request, settings):
        raise expired()


def names_ours(request: Request, settings: Settings) -> bool:
    """Whether the browser says that a page of ours sent the form: no other site can make it say so.
    Browsers without `Sec-Fetch-Site` say `Origin`, or the page (`Referer`)."""
    said = request.headers.get("origin") or request.headers.get("referer", "")
    return _is_ours(said, request, settings)


def _is_ours(address: str, request: Request, settings: Settings) -> bool:
    ours = (request.headers.get("host", ""), urlsplit(settings.public_url).netloc)
    try:
        return urlsplit(address).netloc in ours
    except ValueError:
        return False


async def read(request: Request) -> Form:
    """A form without files. Raises `form_expired` when the body is no form, `body_too_large`."""
    request.scope[HOLDS_SECRET] = False
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise expired()
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BYTES:
            raise ServiceError(ErrorKind.TOO_LARGE, "body_too_large", limit=MAX_BYTES)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise ServiceError(ErrorKind.MALFORMED, "malformed_form") from None
    request.scope[HOLDS_SECRET] = any(name in SECRETS for name, _ in pairs)
    return Form(tuple(pairs))


def expired() -> ServiceError:
    """For a form that is not ours, or of a session that is over: the page must be opened again."""
    return ServiceError(ErrorKind.REFUSED, "form_expired")


async def _tag(services: Services, secret: str) -> bytes:
    return await services.field_encryption.tag(PAGE_FORM, secret)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
