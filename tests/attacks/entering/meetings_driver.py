"""The same people meet workers: six digits, two yes, one request or one gift. And workers ask by a
phone number, which reaches a vault only if exactly one is there."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import httpx

from tests.attacks.entering.changes_driver import Changes
from tests.attacks.entering.meetings_model import AGREED, ANSWER, CODE, Meeting, Table
from tests.fixtures import SomeWorker
from tests.steps import again, request_body

Side = tuple[str, UUID]
"""`person` or `worker`, and who."""
GIFT = {
    "scope": {"document_types": ["payslip"], "document_ids": [], "actions": ["read"]},
    "purpose": {"code": "housing", "text": "Demande de logement"},
    "duration": "P1M",
}
STATUS = {"linked": {200}, "too many wrong codes": {429}, "not a side": {404}, "over": {409},
          "no": {200}, "not yet": {409}, "yes again": {200}, "one yes": {200}, "both yes": {200},
          "used": {201, 202}, "twice": {409}}  # fmt: skip


@dataclass
class Everyone(Changes):
    """The whole driver."""

    workers: list[SomeWorker] = field(default_factory=list)
    worker_sessions: dict[UUID, tuple[datetime, dict[str, str]]] = field(default_factory=dict)
    table: Table = field(default_factory=Table)
    made: dict[UUID, set[str]] = field(default_factory=dict)
    """The requests that reached each person."""
    given: dict[UUID, set[str]] = field(default_factory=dict)
    """The grants that each person gave."""

    def side(self, kind: str | None = None) -> Side:
        drawn = kind or self.random.choice(["person", "worker"])
        if drawn == "person":
            return "person", self.someone().id
        return "worker", self.random.choice(self.workers).id

    async def headers(self, side: Side) -> dict[str, str]:
        """A session; a worker's ends with the day."""
        kind, who = side
        if kind == "person":
            return await self.inside(self.doors.vaults[who])
        opened, headers = self.worker_sessions.get(who, (None, {}))
        if opened is None or self.doors.now - opened > timedelta(hours=9):
            worker = next(one for one in self.workers if one.id == who)
            headers = await again(self.services, worker)
            self.worker_sessions[who] = (self.doors.now, headers)
        return headers

    async def post(self, side: Side, path: str, body: object = None) -> httpx.Response:
        headers = await self.headers(side)
        return await self.http.post(path, headers=headers, json=body)

    def some_meeting(self) -> Meeting | None:
        """One of the last, mostly one that is not over."""
        recent = self.table.meetings[-8:]
        living = [one for one in recent if one.state(self.doors.now) != "over"]
        chosen = living if living and self.random.random() < 0.7 else recent
        return self.random.choice(chosen) if chosen else None

    def some_side(self, meeting: Meeting) -> Side:
        """One of its sides; or somebody else."""
        if self.random.random() < 0.15:
            return self.side()
        return self.random.choice(list(meeting.sides.items()))

    async def open(self, side: Side | None = None) -> Meeting:
        opener = side or self.side()
        answer = await self.post(opener, "/v1/meetings")
        if answer.status_code == 429:  # twenty at once, then one in three minutes
            self.move(3_600)
            answer = await self.post(opener, "/v1/meetings")
        self.expect(answer, 201, "meeting", "opened")
        shown = answer.json()
        kind, who = opener
        meeting = Meeting(shown["id"], shown["code"], kind, self.doors.now, {kind: who})
        self.table.open(meeting)
        return meeting

    async def type(self, side: Side, code: str) -> None:
        while self.table.bucket(side[1]).is_unsure(self.doors.now):
            self.move(60)
        linked, why = self.table.type_code(*side, code, self.doors.now)
        answer = await self.post(side, "/v1/meetings/answer", {"code": code})
        self.tell("meeting code", why, answer.status_code)
        assert answer.status_code in STATUS.get(why, {403}), (why, answer.text)
        if linked:
            assert answer.json()["id"] == linked

    async def answer(self) -> None:
        """A code that somebody has; or one of nobody."""
        meeting = self.some_meeting()
        code = f"{secrets.randbelow(10**6):06}"
        if meeting is None or self.random.random() < 0.15:
            await self.type(self.side(), code)
        else:
            kind = "worker" if meeting.opened_by == "person" else "person"
            await self.type(self.side(kind if self.random.random() < 0.8 else None), meeting.code)

    async def many_codes(self) -> None:
        """Guesses, and then one that is good."""
        kind, who = self.side()
        for _ in range(self.random.randint(3, 6)):
            await self.type((kind, who), f"{secrets.randbelow(10**6):06}")
        meeting = await self.open(self.side("worker" if kind == "person" else "person"))
        await self.type((kind, who), meeting.code)

    async def say(self, meeting: Meeting | None = None, side: Side | None = None) -> None:
        found = meeting or self.some_meeting()
        if found is None:
            return
        kind, who = side or self.some_side(found)
        yes = side is not None or self.random.random() < 0.7
        why = self.table.say(kind, who, found, self.doors.now, yes=yes)
        path = f"/v1/meetings/{found.id}/confirm"
        answer = await self.post((kind, who), path, {"agree": yes})
        self.tell("meeting", why, answer.status_code)
        assert answer.status_code in STATUS[why], (why, answer.text)

    async def use(self, meeting: Meeting | None = None) -> None:
        """The worker's request, or the person's gift, through a meeting that may be over, unagreed,
        or another's."""
        found = meeting or self.some_meeting()
        if found is None:
            return
        kind, who = self.some_side(found)
        why = self.table.use(kind, who, found, self.doors.now)
        if kind == "worker":
            body = request_body("", "payslip", person={"meeting": found.id})
            answer = await self.post((kind, who), "/v1/consent-requests", body)
        else:
            body = {"recipient": {"meeting": found.id}, **GIFT}
            answer = await self.post((kind, who), "/v1/grants", body)
        self.tell("link", f"{why}, {kind}" if why == "used" else why, answer.status_code)
        assert answer.status_code in STATUS.get(why, {409}), (why, answer.text)
        if why == "used":
            made = self.made if kind == "worker" else self.given
            made.setdefault(found.sides["person"], set()).add(answer.json()["id"])

    async def meet(self) -> None:
        """A whole meeting, as it is meant; time may pass at any of its steps."""
        meeting = await self.open()
        pause = self.random.choice(["", "", "", "code", "answer", "agreed"])
        kind = "worker" if meeting.opened_by == "person" else "person"
        if pause == "code":
            self.move(CODE.total_seconds())
        other = self.side(kind)
        await self.type(other, meeting.code)
        sides = list(meeting.sides.items())  # one, where the code was not taken
        self.random.shuffle(sides)
        await self.say(meeting, sides[0])
        if self.random.random() < 0.3:
            await self.use(meeting)
        if pause == "answer":
            self.move(ANSWER.total_seconds())
        await self.say(meeting, sides[-1])
        if pause == "agreed":
            self.move(AGREED.total_seconds())
        for _ in range(self.random.randint(1, 2)):
            await self.use(meeting)

    async def ask_by_phone(self) -> None:
        """Seen by the one who has that phone alone, and by none of two."""
        phones = [one.phone for one in self.doors.vaults.values() if one.phone]
        if not phones:
            return
        phone = self.random.choice(phones)
        there = self.doors.on_phone(phone)
        body = request_body(phone, "payslip")
        answer = await self.post(self.side("worker"), "/v1/consent-requests", body)
        if answer.status_code == 429:
            self.tell("asked by phone", "too often")
            return
        self.expect(answer, 202, "asked by phone", "one" if len(there) == 1 else "two")
        if len(there) == 1:
            self.made.setdefault(there[0].id, set()).add(answer.json()["id"])

    async def check_links(self) -> None:
        """Everyone has the requests and the grants that the model says, and no other."""
        for vault in self.doors.vaults.values():
            found = await self.listed(vault.id, "/v1/consent-requests")
            assert found == self.made.get(vault.id, set())
            assert await self.listed(vault.id, "/v1/grants") == self.given.get(vault.id, set())
        self.tell("links", "all compared")

    async def listed(self, who: UUID, path: str) -> set[str]:
        headers, found, cursor = await self.headers(("person", who)), set[str](), None
        while True:
            query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            page = (await self.http.get(path, headers=headers, params=query)).json()
            found |= {one["id"] for one in page["items"]}
            cursor = page.get("next")
            if not cursor:
                return found

    def rules(self) -> list[tuple[Callable[[], Awaitable[None]], int]]:
        return [
            *super().rules(), (self._opened, 4), (self.answer, 7), (self.say, 7), (self.use, 5),
            (self.meet, 6), (self.many_codes, 4), (self.ask_by_phone, 4),
        ]  # fmt: skip

    async def _opened(self) -> None:
        await self.open()
