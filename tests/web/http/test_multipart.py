"""Forms as clients send them: however their bytes arrive, each is read as it was meant."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import ServiceError
from web.http.uploads import MAX_HEADER_BYTES, MultipartForm

Read = tuple[dict[str, str], list[tuple[str | None, bytes]]]

JPEG = b"\xff\xd8\r\n--Xb\r\n--\r--XbY\xff\xd9"


async def read(body: Iterable[bytes], content_type: str = "") -> Read:
    """The fields and files of a form that arrives in these pieces."""
    pieces = iter(body)

    async def receive() -> dict[str, object]:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    kind = content_type or "multipart/form-data; boundary=XbX"
    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    request = Request(scope, receive)  # type: ignore[arg-type]  # Starlette's messages
    form = MultipartForm(request, 10**6)
    files = [
        (file.name, b"".join([piece async for piece in file.slices()]))
        async for file in form.files()
    ]
    return form.fields, files


def part(disposition: str, data: bytes, *headers: str) -> bytes:
    """One part, ready to be joined."""
    lines = [f"Content-Disposition: form-data; {disposition}", *headers]
    return b"--XbX\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole body."""
    return b"".join(parts) + b"--XbX--\r\n"


TYPE = part('name="type"', b"payslip")
WHOLE = form(
    part('name="type"', b"payslip", "Content-Type: text/plain; charset=UTF-8"),
    part(
        'name="file"; filename="re_u.jpg"; filename*=utf-8\'\'re%C3%A7u%3B.jpg',
        JPEG,
        "Content-Type: image/jpeg",
        "Content-Transfer-Encoding: binary",
        f"Content-Length: {len(JPEG)}",
    ),
    part('name="title"', "reçu ; « loyer »".encode()),
    part('name="file"; filename=""', b"", "Content-Type: application/octet-stream"),
)
MEANT: Read = (
    {"type": "payslip", "title": "reçu ; « loyer »"},
    [("reçu;.jpg", JPEG)],
)


async def test_a_form_cut_at_any_byte_is_the_same_form() -> None:
    for at in range(len(WHOLE) + 1):
        assert await read([WHOLE[:at], WHOLE[at:]]) == MEANT, at
    assert await read([WHOLE]) == MEANT
    assert await read(bytes([byte]) for byte in WHOLE) == MEANT


@settings(max_examples=60, deadline=None)
@given(
    data=st.lists(st.binary(max_size=60), max_size=3),
    name=st.text(st.characters(exclude_characters='"\\\r\n%', exclude_categories=["Cs"])),
    cuts=st.lists(st.integers(0, 900), max_size=8),
)
async def test_any_form_in_any_pieces_is_the_same_form(
    data: list[bytes], name: str, cuts: list[int]
) -> None:
    body = form(TYPE, *(part(f'name="file"; filename="a{name}"', each) for each in data))
    ends = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    pieces = [body[start:end] for start, end in pairwise(ends)]
    files = [(f"a{name}", each) for each in data]
    assert await read(pieces) == ({"type": "payslip"}, files)


FILE_NAMES = {
    "plain": ('filename="a.jpg"', "a.jpg"),
    "no quotes": ("filename=a.jpg", "a.jpg"),
    "a star alone": ("filename*=utf-8''re%C3%A7u.jpg", "reçu.jpg"),
    "a star, capitals, a language": ("FileName*=UTF-8'fr'%e2%82%ac.pdf", "€.pdf"),
    "a star in Latin letters": ("filename*=ISO-8859-1''re%E7u.jpg", "reçu.jpg"),
    "a pair": ("filename=\"x.jpg\"; filename*=utf-8''re%C3%A7u.jpg", "reçu.jpg"),
    "a pair the other way": ("filename*=utf-8''re%C3%A7u.jpg; filename=\"x.jpg\"", "reçu.jpg"),
    "raw UTF-8": ('filename="reçu.jpg"', "reçu.jpg"),
    "a browser's quote": ('filename="a%22b.jpg"', 'a"b.jpg'),
    "a browser's per cent": ('filename="été 100%.jpg"', "été 100%.jpg"),
    "an escaped quote": (r'filename="a\"b\\c.jpg"', 'a"b\\c.jpg'),
    "all in per cents": ('filename="re%C3%A7u.jpg"', "reçu.jpg"),
    "a semicolon": ('filename="a;b=c.jpg"', "a;b=c.jpg"),
    "spaces": ('  filename = "a.jpg" ; ', "a.jpg"),
    "none": ("", None),
    "in pieces (RFC 2231)": ("filename*0=a; filename*1=b", None),
}


@pytest.mark.parametrize("case", FILE_NAMES)
async def test_the_name_of_a_file(case: str) -> None:
    written, meant = FILE_NAMES[case]
    disposition = f'name="file"; {written}' if written else 'name="file"'
    assert await read([form(TYPE, part(disposition, JPEG))]) == (
        {"type": "payslip"},
        [(meant, JPEG)],
    )


async def test_a_name_in_the_latin_letters_of_before() -> None:
    body = form(part('name="file"; filename="X"', JPEG)).replace(b'X"\r', b're\xe7u\x80"\r')
    assert (await read([body]))[1][0][0] == "reçu€"


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Transfer-Encoding: binary"],
        ["content-transfer-encoding: 8BIT", "content-type: image/jpeg"],
        ["CONTENT-TYPE: image/jpeg", "X-Other: 1", "Content-Transfer-Encoding:7bit "],
    ],
)
async def test_the_headers_of_a_part_come_in_any_order_and_letters(headers: list[str]) -> None:
    mixed = "\r\n".join([*headers, 'CONTENT-disposition: Form-Data; NAME=file; filename="a"'])
    body = b"--XbX\r\n" + mixed.encode() + b"\r\n\r\n" + JPEG + b"\r\n--XbX--"
    assert await read([body]) == ({}, [("a", JPEG)])


@pytest.mark.parametrize(
    ("stated", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("ISO-8859-1", "latin-1"),
        ("Windows-1252", "cp1252"),
        ('"UTF-8"', "utf8"),
    ],
)
async def test_a_field_says_its_letters(stated: str, encoding: str) -> None:
    header = f"Content-Type: text/plain; charset={stated}"
    body = form(part('name="title"', "été".encode(encoding), header))
    assert await read([body]) == ({"title": "été"}, [])


async def test_a_form_says_the_letters_of_its_fields() -> None:
    said = part('name="_charset_"', b"iso-8859-1")
    assert await read([form(said, part('name="title"', b"\xe9t\xe9"))]) == ({"title": "été"}, [])


async def test_what_browsers_send_for_no_file_is_no_file() -> None:
    empty = part('name="file"; filename=""', b"", "Content-Type: application/octet-stream")
    other = part('name="other"; filename=""', b"")
    named = part('name="file"; filename="vide.pdf"', b"")
    unnamed = part('name="file"; filename=""', JPEG)
    body = form(empty, TYPE, other, named, unnamed, empty)
    assert (await read([body]))[1] == [("vide.pdf", b""), ("", JPEG)]
    assert (await read(bytes([byte]) for byte in body))[1] == [("vide.pdf", b""), ("", JPEG)]


@pytest.mark.parametrize("boundary", ['"XbX"', "XbX; a=b", "XbX ;x=y", '"a b;c=d\'()+_,-./:=?"'])
async def test_a_boundary_with_and_without_quotes(boundary: str) -> None:
    plain = boundary.strip('"') if boundary.startswith('"') else "XbX"
    body = WHOLE.replace(b"XbX", plain.encode())
    for start in (b"", b"\r\n"):
        answer = await read(
            [start + body], f"Multipart/Form-Data; charset=utf-8; Boundary={boundary}"
        )
        assert answer == MEANT


REFUSED = {
    "base64": (part('name="file"; filename="a"', b"/9g=", "Content-Transfer-Encoding: base64"),
               "part_encoded"),
    "quoted-printable": (
        part('name="title"', b"=C3=A9", "Content-Transfer-Encoding: quoted-printable"),
        "part_encoded",
    ),
    "two names": (part('name="file"; filename="a"; filename="b"', JPEG), "malformed_form"),
    "two dispositions": (
        part('name="title"', b"x", 'Content-Disposition: form-data; name="type"'),
        "malformed_form",
    ),
    "no name": (part('filename="a"', JPEG), "malformed_form"),
    "no quote at the end": (part('name="file', JPEG), "malformed_form"),
    "a star of unknown letters": (part("name=file; filename*=utf-7''a", JPEG), "malformed_form"),
    "a star without its two quotes": (part("name=file; filename*=a.jpg", JPEG), "malformed_form"),
    "unknown letters": (
        part('name="title"', b"x", "Content-Type: text/plain; charset=utf-16"),
        "malformed_form",
    ),
    "no UTF-8": (part('name="title"', b"\xe9"), "malformed_form"),
    "too many headers": (
        part('name="file"', JPEG, *(f"X-{number}: y" for number in range(40))), "malformed_form"),
    "too long headers": (
        part('name="file"', JPEG, "X: " + "y" * MAX_HEADER_BYTES), "malformed_form"),
    "LF alone": (TYPE.replace(b"\r\n", b"\n"), "malformed_form"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_what_could_be_read_in_two_ways_is_refused(case: str) -> None:
    wrong, code = REFUSED[case]
    for pieces in ([form(wrong)], [bytes([byte]) for byte in form(wrong)]):
        with pytest.raises(ServiceError) as refused:
            await read(pieces)
        assert refused.value.code == code
