"""Asking witnesses to cosign a checkpoint: the client of C2SP tlog-witness's `add-checkpoint`."""

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import httpx

from audit.tlog.checkpoint import InvalidCheckpoint, cosignatures_in
from audit.tlog.notes import COSIGNATURE, MAX_BYTES, Note, Verifier

TIMEOUT_SECONDS = 10.0
"""For one request."""
_TRIES = 3
_MAX_PROOF = 63
_WITNESS = re.compile(r"(?P<vkey>\S+)@(?P<url>https?://\S+)")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n?")

Consistency = Callable[[int, int], Awaitable[Sequence[bytes]]]
"""The proof that the tree of the second size continues that of the first."""


class Refusal(StrEnum):
    """Why a checkpoint has no cosignature of a witness."""

    DOWN = "down"
    UNKNOWN_LOG = "unknown_log"
    UNTRUSTED_KEY = "untrusted_key"
    MALFORMED = "malformed"
    INCONSISTENT = "inconsistent"
    AHEAD = "ahead"
    CONFLICT = "conflict"
    ANSWER = "answer"


_BY_STATUS = {
    400: Refusal.MALFORMED,
    403: Refusal.UNTRUSTED_KEY,
    404: Refusal.UNKNOWN_LOG,
    409: Refusal.CONFLICT,
    422: Refusal.INCONSISTENT,
}


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """A witness: its cosignature key, and the prefix of its addresses."""

    verifier: Verifier
    url: str


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What the witnesses answered: the note with their cosignatures, the refusals by name."""

    note: Note
    refusals: dict[str, Refusal]


class _Refused(Exception):
    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


def read_witnesses(text: str) -> list[WitnessAddress]:
    """Read `VKEY@URL`s separated by white space. Raises `ValueError`, `InvalidNote`."""
    witnesses = []
    for word in text.split():
        match = _WITNESS.fullmatch(word)
        if match is None:
            raise ValueError("not VKEY@URL")
        verifier = Verifier.parse(match["vkey"])
        if verifier.type != COSIGNATURE:
            raise ValueError("not a cosignature key")
        witnesses.append(WitnessAddress(verifier, match["url"].rstrip("/")))
    return witnesses


class WitnessClient:
    """Asks each witness, and remembers the size that each one last cosigned."""

    def __init__(self, witnesses: Sequence[WitnessAddress], client: httpx.AsyncClient) -> None:
        self._witnesses = witnesses
        self._client = client
        self._sizes: dict[str, int] = {}

    async def ask(self, note: Note, size: int, consistency: Consistency) -> Cosigned:
        """Ask all concurrently; each request takes at most `TIMEOUT_SECONDS`. Only cosignatures
        that are valid under the known keys are kept."""
        answers = await asyncio.gather(
            *(self._ask(witness, note, size, consistency) for witness in self._witnesses)
        )
        refusals: dict[str, Refusal] = {}
        for witness, answer in zip(self._witnesses, answers, strict=True):
            if isinstance(answer, Refusal):
                refusals[witness.verifier.name] = answer
            else:
                note = note.with_lines(answer)
        return Cosigned(note, refusals)

    async def _ask(
        self, witness: WitnessAddress, note: Note, size: int, consistency: Consistency
    ) -> list[str] | Refusal:
        name = witness.verifier.name
        old = self._sizes.get(name, 0)
        try:
            for _ in range(_TRIES):
                if old > size:
                    # It cosigned a larger tree of ours, which this service has lost.
                    return Refusal.AHEAD
                answer = await self._post(witness, note, old, await consistency(old, size))
                if isinstance(answer, list):
                    self._sizes[name] = size
                    return answer
                old = answer
        except _Refused as refused:
            self._sizes.pop(name, None)
            return refused.refusal
        return Refusal.CONFLICT

    async def _post(
        self, witness: WitnessAddress, note: Note, old: int, proof: Sequence[bytes]
    ) -> list[str] | int:
        """Its cosignatures, or the size that it holds. Raises `_Refused`."""
        status, kind, body = await self._send(witness, request_body(note, old, proof))
        if status == 409 and kind.startswith("text/x.tlog.size"):
            match = _SIZE.fullmatch(body)
            if match is not None:
                return int(match[1])
        if status != 200:
            raise _Refused(_BY_STATUS.get(status, Refusal.DOWN))
        try:
            return cosignatures_in(body.splitlines(), note.text, [witness.verifier])
        except InvalidCheckpoint:
            raise _Refused(Refusal.ANSWER) from None

    async def _send(self, witness: WitnessAddress, body: bytes) -> tuple[int, str, str]:
        """Status, content type and body, which is read only up to the size limit of a note."""
        url = f"{witness.url}/add-checkpoint"
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._client.stream("POST", url, content=body) as response,
            ):
                received = bytearray()
                async for chunk in response.aiter_bytes():
                    received += chunk
                    if len(received) > MAX_BYTES:
                        raise _Refused(Refusal.ANSWER)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            raise _Refused(Refusal.DOWN) from None
        try:
            text = received.decode()
        except UnicodeDecodeError:
            raise _Refused(Refusal.ANSWER) from None
        return response.status_code, response.headers.get("content-type", ""), text


def request_body(note: Note, old: int, proof: Sequence[bytes]) -> bytes:
    """The body of `add-checkpoint`."""
    if len(proof) > _MAX_PROOF:
        raise ValueError("a consistency proof has at most 63 hashes")
    lines = [f"old {old}", *(base64.b64encode(node).decode() for node in proof), ""]
    return "".join(f"{line}\n" for line in lines).encode() + note.encode()
