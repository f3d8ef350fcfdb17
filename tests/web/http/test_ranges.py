"""Byte ranges: one at a time, anywhere; absurd and multiple ones are refused with the length."""

import httpx
import pytest
from hypothesis import given as provided
from hypothesis import strategies as st

from base.errors import ErrorKind, ServiceError
from tests.fixtures import MakePerson, MakeWorker
from tests.steps import deposit, granted, log_of, until
from tests.vault.decoding import corpus
from web.http.ranges import parse_range

WRONG = [
    "bytes=5-2",
    "bytes=-",
    "bytes=",
    "bytes=a-b",
    "bytes=0-1,4-5",
    "bytes=0-0,-1",
    "bytes=" + ",".join(["0-"] * 30),
    "bytes=99999999-",
    "bytes=999999999999999999999999999-",
    "bytes=-0",
    "octets=0-1",
    "0-1",
    "bytes 0-1",
    "bytes=--5",
    "bytes=1-2-3",
    "bytes=\u0661-\u0662",
]
RIGHT = {
    "bytes=0-0": (0, 1),
    "bytes=0-": (0, 1000),
    "bytes=999-": (999, 1000),
    "bytes=-1": (999, 1000),
    "bytes=-5000": (0, 1000),
    "bytes=10-999999999": (10, 1000),
    "bytes=10-19": (10, 20),
}


@pytest.mark.parametrize("header", RIGHT)
def test_a_range_is_cut_to_what_there_is(header: str) -> None:
    assert parse_range(header, 1000) == RIGHT[header]


@pytest.mark.parametrize("header", WRONG)
def test_an_absurd_range_is_refused_with_the_length(header: str) -> None:
    with pytest.raises(ServiceError) as refused:
        parse_range(header, 1000)
    assert (refused.value.kind, refused.value.values) == (ErrorKind.RANGE, {"length": 1000})


def test_no_range_is_the_whole() -> None:
    assert parse_range(None, 1000) is None


@provided(st.text(max_size=40), st.integers(0, 10**9))
def test_whatever_is_written_gives_a_range_inside_or_a_refusal(text: str, length: int) -> None:
    try:
        found = parse_range("bytes=" + text, length)
    except ServiceError:
        return
    assert found is not None
    start, stop = found
    assert 0 <= start < stop <= length


async def test_ranges_over_http(
    client: httpx.AsyncClient, make_person: MakePerson, make_worker: MakeWorker
) -> None:
    """The same for the owner and under a grant; a wrong range gets 416 and reveals nothing."""
    person, worker = await make_person(), await make_worker()
    data = corpus.noisy_jpeg(700_000)
    document = await deposit(client, person, data, name="p.jpg")
    grant = await granted(client, person, worker.headers, "income_tax_notice")
    own = f"/v1/documents/{document['id']}/content"
    theirs = f"/v1/grants/{grant}/documents/{document['id']}/content"
    sent = (await client.get(theirs, headers=worker.headers)).content
    for path, headers, whole in ((own, person.headers, data), (theirs, worker.headers, sent)):
        for start, stop in ((0, 1), (262_143, 262_145), (1000, 600_000), (len(whole) - 1, None)):
            header = f"bytes={start}-{'' if stop is None else stop - 1}"
            answer = await client.get(path, headers={**headers, "Range": header})
            assert answer.status_code == 206
            assert answer.content == whole[start:stop]
            end = len(whole) if stop is None else stop
            assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(whole)}"
        for header in WRONG[:8]:
            answer = await client.get(path, headers={**headers, "Range": header})
            assert answer.status_code == 416, answer.text
            assert answer.json()["code"] == "range_invalid"
            assert answer.json()["what_to_do"]
            assert answer.headers["content-range"] == f"bytes */{len(whole)}"

    async def settled() -> bool:
        reads = [
            entry for entry in await log_of(client, person) if entry["action"] == "document.read"
        ]
        states = [entry["confirmed"] for entry in reads]
        return states.count("completed") == 9 and states.count("interrupted") == 16

    await until(settled)


async def test_an_endless_range_header_is_refused(
    client: httpx.AsyncClient, make_person: MakePerson
) -> None:
    person = await make_person()
    document = await deposit(client, person, corpus.pdf(1))
    answer = await client.get(
        f"/v1/documents/{document['id']}/content",
        headers={**person.headers, "Range": "bytes=" + "0-1," * 5000},
    )
    assert answer.status_code in {400, 416, 422, 431}
    assert answer.content[:5] != b"%PDF-"
