"""How many failures one network may cause: beyond, 429 before any look-up, and nothing is written.

Each refusal is a line of the log for ever, public as a leaf, and strangers pay nothing for it.

- A stranger's failures (4xx) are spent from the bucket of their network. One is taken when a
  request comes in and given back unless it fails, so requests sent at once cannot pass together.
- A caller whose token was authenticated here has the bucket of their account: nobody stops a
  colleague behind the same address, and one's own failures stop oneself alone.
- So has a browser that signed in here, with nobody signed in: it is not barred from signing in
  again by whoever floods from the same address.
- While a network's bucket is empty, a token that is not known yet is looked up, a few a second; a
  valid one passes. A false one is answered 429 and writes nothing. What comes with one token while
  it is looked up waits for that look-up.
- A GET without credentials passes: it looks nobody up and writes nothing. Except where it says
  whether a code is right (`_GUESSED`): there each wrong one is spent like any failure.

The buckets are shared by all processes (`rate_limit.py`). Which tokens are known is each
process's own: it decides whose bucket is spent, and lets nothing more through.
ADR: docs/adr/0020-failures-by-network.md, docs/adr/0030-shared-rates.md.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from auth import sessions
from auth.rate_buckets import BucketKind, Rate, SharedBuckets
from auth.services import CoreServices
from web.http.rate_limit import Bucket, Buckets, address_of, network_of

RECORDED = "unefois.recorded"
"""In the scope: a refused row was recorded (`vault/decisions.py: record_altered_row`)."""
TOLD = "unefois.told"
"""In the scope: the status that is counted, where the answer's own is another: of a failure that
another page says (`web/pages/failure_notes.py`), and of that page."""

_ACCOUNT_FACTOR = 10
"""How much larger an account's bucket is: its holder is known, and can be barred."""
_ACCOUNT_AHEAD = 20
"""What a process takes ahead of an account's bucket: as many requests at once cost no statement."""
_RESERVE = Rate(10, timedelta(seconds=6))
"""What each token has when its account's bucket is empty: who took one session does not keep its
holder from ending it with another."""
_LOOKUPS = Rate(5, timedelta(seconds=0.2))
"""Unknown tokens looked up for a network whose bucket is empty."""
_MAX_KNOWN = 50_000
_MAX_COUNTED = 10_000
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_API = ("/v1", "/oauth")
_PUBLIC = ("/log/", "/v1/document-types", "/v1/openapi.json", "/static/", "/problems", "/healthz",
           "/.well-known/", "/jwks.json", "/v1/receipt-keys")  # fmt: skip
_GUESSED = ("/v1/verify/", "/verify/")

Account = UUID
AccountOf = Callable[[str], Coroutine[None, None, Account | None]]
"""The account of a token, looked up now; None for one that is not valid."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A request that counts. `bucket` is None once it is refused, or settled."""

    bucket: Bucket | None
    digest: bytes | None = field(repr=False)


class FailureLimit:
    """The limit of failures, in one process, and the tokens that it knows."""

    def __init__(
        self, services: CoreServices, account_of: AccountOf, cookies: tuple[str, str, str]
    ) -> None:
        """`cookies`: the names of the session cookies of people and of workers, and of the cookie
        of a browser that signed in before."""
        at_once = services.settings.failures_at_once
        every = timedelta(minutes=1) / services.settings.failures_per_minute
        strangers = Rate(at_once, every)
        accounts = Rate(at_once * _ACCOUNT_FACTOR, every / _ACCOUNT_FACTOR)

        def shared(kind: BucketKind, rate: Rate) -> SharedBuckets:
            return SharedBuckets(services, kind, rate)

        self._networks = Buckets(shared("network", strangers))
        self._lookups = Buckets(shared("look-up", _LOOKUPS))
        self._browsers = Buckets(shared("browser", strangers), size=_MAX_KNOWN)
        ahead = min(_ACCOUNT_AHEAD, at_once)
        self._accounts = Buckets(shared("account", accounts), ahead=ahead, size=_MAX_KNOWN)
        self._reserves = Buckets(shared("reserve", _RESERVE), size=_MAX_KNOWN)
        self._known: OrderedDict[bytes, Account] = OrderedDict()
        self._account_of = account_of
        self._looking_up: dict[bytes, asyncio.Task[Account | None]] = {}
        self._cookies = cookies
        self.refused = Refused()

    async def admit(self, scope: Scope) -> Ticket | None:
        """The ticket of a request; without a bucket, it MUST be answered 429 and go no further.
        None for a request that does not count."""
        reading = scope["method"] in _READING
        token = self._token(scope)
        path: str = scope["path"]
        guessed = path.startswith(_GUESSED)
        if reading and not guessed and (token is None or path.startswith(_PUBLIC)):
            return None
        digest = None if token is None else _digest(token)
        account = self._known_account(token)
        if account is not None:
            return await self._ticket(account, digest)
        browser = None if token is not None else self._browser(scope)
        account = self._known_account(browser)
        if browser is not None and account is not None:
            bucket = self._browsers.of(_digest(browser))
            return await self._spend(bucket, account)
        network = network_of(address_of(scope))
        bucket = self._networks.of(network.encode())
        if await bucket.take():
            return Ticket(bucket, digest)
        account = None if token is None else await self._looked_up(network, token)
        if account is not None:
            return await self._ticket(account, digest)
        self.refused.count(network)
        return Ticket(None, digest)

    def sign_in_source(self, scope: Scope) -> bytes:
        """Whose sign-ins a request counts among: those of its browser, if that signed in before, or
        those of its network. Not those of an account: a thief whose session was ended would spend
        them."""
        browser = self._browser(scope)
        if browser is not None and self._known_account(browser) is not None:
            return _digest(browser)
        return network_of(address_of(scope)).encode()

    def _known_account(self, secret: str | None) -> Account | None:
        digest = None if secret is None else _digest(secret)
        account = None if digest is None else self._known.get(digest)
        if digest is not None and account is not None:
            self._known.move_to_end(digest)
        return account

    async def _spend(self, bucket: Bucket, account: Account) -> Ticket:
        if await bucket.take():
            return Ticket(bucket, None)
        self.refused.count(account)
        return Ticket(None, None)

    async def _ticket(self, account: Account, digest: bytes | None) -> Ticket:
        bucket = self._accounts.of(account.bytes)
        if await bucket.take():
            return Ticket(bucket, digest)
        reserve = None if digest is None else self._reserves.of(digest)
        if reserve is not None and await reserve.take():
            return Ticket(reserve, digest)
        self.refused.count(account)
        return Ticket(None, digest)

    async def _looked_up(self, network: str, token: str) -> Account | None:
        """The account of a token that is not known yet, if there is room for a look-up or one of
        it is under way: whoever sends a valid one many times at once is not refused."""
        digest = _digest(token)
        if token.count(".") != 2 and sessions.token_hash(token) is None:
            return None  # it cannot be a token
        if digest not in self._looking_up:
            # Said before the first wait: what comes with the same token meanwhile joins it.
            look_up = asyncio.create_task(self._look_up(network, token))
            self._looking_up[digest] = look_up
            look_up.add_done_callback(lambda _: self._looking_up.pop(digest))
        # A caller who goes away does not end the look-up of the others.
        return await asyncio.shield(self._looking_up[digest])

    async def _look_up(self, network: str, token: str) -> Account | None:
        if not await self._lookups.of(network.encode()).take():
            return None
        account = await self._account_of(token)
        if account is not None:
            self.remember(token, account)
        return account

    def settle(self, ticket: Ticket | None, status: int, *, recorded: bool = False) -> None:
        """The request is answered: what it took is spent if it failed, or given back. `recorded`: a
        failure of ours that left a line in the log all the same (`RECORDED`)."""
        if ticket is None:
            return
        if status == 401 and ticket.digest is not None:
            self._known.pop(ticket.digest, None)
        if ticket.bucket is not None and not (recorded or 400 <= status < 500):
            ticket.bucket.give_back()
        ticket.bucket = None

    def remember(self, token: str, account: Account) -> None:
        """This token was authenticated just now. Never call it for one that was only sent."""
        digest = _digest(token)
        self._known[digest] = account
        self._known.move_to_end(digest)
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)

    def forget(self, token: str) -> None:
        """This token was looked up, and is not valid, or no longer."""
        self._known.pop(_digest(token), None)

    def _token(self, scope: Scope) -> str | None:
        """What the caller sent as a token, where a route of that path would look for it."""
        path: str = scope["path"]
        if path.startswith(_API):
            text = Headers(scope=scope).get("authorization")
            return None if text is None else text.rpartition(" ")[2]
        person, worker, _ = self._cookies
        of_worker = path == "/pro" or path.startswith("/pro/")
        return _cookies_in(scope).get(worker if of_worker else person)

    def _browser(self, scope: Scope) -> str | None:
        """The secret of a browser, sent to a page."""
        if scope["path"].startswith(_API):
            return None
        return _cookies_in(scope).get(self._cookies[2])


@dataclass(slots=True)
class Refused:
    """The requests answered 429 since they were last recorded, without their addresses."""

    requests: int = 0
    sources: set[str | Account] = field(default_factory=set, repr=False)

    def count(self, source: str | Account) -> None:
        """One more, of a network (a text) or of an account."""
        self.requests += 1
        if len(self.sources) < _MAX_COUNTED:
            self.sources.add(source)

    def take(self) -> "Refused":
        """Those counted so far; counting starts again."""
        taken = Refused(self.requests, self.sources)
        self.requests, self.sources = 0, set()
        return taken

    def put_back(self, taken: "Refused") -> None:
        """What was taken could not be recorded."""
        self.requests += taken.requests
        self.sources |= taken.sources

    def details(self) -> dict[str, str | int]:
        """How many requests, of how many networks and accounts."""
        networks = sum(isinstance(source, str) for source in self.sources)
        accounts = len(self.sources) - networks
        return {"requests": self.requests, "networks": networks, "accounts": accounts}


def _cookies_in(scope: Scope) -> dict[str, str]:
    """As pages read them, of every header: one of which the limit saw less would pass uncounted."""
    return HTTPConnection(scope).cookies


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
