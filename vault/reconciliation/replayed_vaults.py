"""The vaults that the log opened and erased, against the people and keys that are there.

An erasure leaves one event in the service's log, which does not say whose. The events of an erased
vault stay, under a tag, and no longer open: so vanished vaults are counted by their tags, and
compared with the erasures that the log tells.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from audit.events import Action
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot, table_named
from vault.services import Services


class ReplayedVaults:
    """`vault.open`, `vault.erase`, and the events that nobody can read any more."""

    def __init__(self) -> None:
        self._people: dict[UUID, datetime] = {}
        self._by_tag: dict[bytes, UUID] = {}
        self._opened: set[UUID] = set()
        self._left: set[UUID] = set()
        self._ended: dict[UUID, datetime] = {}
        self._absent: set[UUID] = set()
        self._unreadable: dict[bytes, int] = {}
        self._of_service = 0
        self._erased = 0

    async def tag_people(self, services: Services, snapshot: Snapshot) -> None:
        """Compute the tag by which the log finds each person."""
        person = table_named("person")
        found = await snapshot.connection.execute(select(person.c.id, person.c.created_at))
        self._people = {row.id: row.created_at for row in found}
        for person_id in self._people:
            tag = await services.audit_log.person_tag(person_id)
            if tag is not None:
                self._by_tag[tag] = person_id

    def person_of(self, tag: bytes | None) -> UUID | None:
        """The person of a tag, if their vault is there."""
        return None if tag is None else self._by_tag.get(tag)

    async def load(self, snapshot: Snapshot) -> None:
        """Read which vaults ended in another; `tag_people` has read the people."""
        join = table_named("vault_join").c
        query = select(join.person_id, join.joined_at).where(join.joined_at.is_not(None))
        found = await snapshot.connection.execute(query)
        self._ended = {row.person_id: row.joined_at for row in found}

    def see(self, act: LoggedAct) -> None:
        """Fold one event in."""
        if act.person is not None and act.person not in self._people:
            self._absent.add(act.person)
        if not act.allowed:
            return
        if act.action == Action.VAULT_OPENED and act.person in self._people:
            self._opened.add(act.person)
        elif act.action == Action.VAULT_LEFT and act.person in self._people:
            self._left.add(act.person)
        elif act.action == Action.VAULT_ERASED:
            self._erased += 1

    def see_unreadable(self, tag: bytes | None, at: datetime) -> None:
        """An event whose key is gone: by erasure, by the end of its year, or by someone's hand."""
        if tag is None:
            self._of_service = max(self._of_service, at.year)
        else:
            self._unreadable[tag] = max(self._unreadable.get(tag, 0), at.year)

    async def compare(self, _services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Name the people who vanished, came back, or whose log cannot be read."""
        self._compare_people(snapshot, faults)
        self._compare_joins(snapshot, faults)
        self._compare_erased(snapshot, faults)

    def _compare_people(self, snapshot: Snapshot, faults: Faults) -> None:
        for person_id in self._absent:
            faults.add("missing", "person", person_id)
        for person_id, created_at in self._people.items():
            if person_id not in self._opened and not snapshot.is_forgotten(created_at):
                faults.add("not_in_log", "person", person_id)

    def _compare_joins(self, snapshot: Snapshot, faults: Faults) -> None:
        """Which vaults ended in another."""
        for person_id in self._left - self._ended.keys():
            faults.add("missing", "vault_join", f"of person {person_id}")
        for person_id, joined_at in self._ended.items():
            if person_id not in self._left and not snapshot.is_forgotten(joined_at):
                faults.add("not_in_log", "vault_join", f"of person {person_id}")

    def _compare_erased(self, snapshot: Snapshot, faults: Faults) -> None:
        if self._of_service > snapshot.forgotten:
            faults.add("unreadable", "audit_key", "of the service")
        vanished = 0
        for tag, last_year in self._unreadable.items():
            owner = self._by_tag.get(tag)
            if owner is None:
                vanished += last_year > snapshot.forgotten
            elif last_year > snapshot.forgotten:
                faults.add("unreadable", "audit_key", f"of person {owner}")
        gone = len(self._unreadable.keys() - self._by_tag.keys())
        if vanished > self._erased:
            faults.add("vaults_vanished", "person", f"{vanished} gone, {self._erased} erased")
        if self._erased > gone:
            faults.add("vaults_back", "person", f"{gone} gone, {self._erased} erased")
