"""What an edit of the database does: harmless, refused at use, or named by reconcile.

For each edit: it is written as a superuser with every trigger and foreign key disabled; what
touches its table is used, with nothing in memory from before (after one edit in twenty everything:
what does not touch the table must answer as before); the log is looked at; the database is
reconciled; and all tables are put back. A fourth kind, that changes what someone learns or does and
is neither refused nor named, fails the test.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import text

from audit.reconcile import Reconciler
from audit.sealing import InvalidEvent
from audit.tlog.transparency_log import TransparencyLog
from base.errors import ServiceError
from storage.providers import KeyProviderError
from tests.attacks.written_database.copies import Copies
from tests.attacks.written_database.edits import Edit
from tests.attacks.written_database.reads import Reads
from tests.attacks.written_database.story import Probe, Seen, Story
from tests.vault.reconciliation.conftest import Thief
from vault.reconciliation.reconciliation import reconcile

_GROWING = {"leaf_missing"}
_ALL_AFTER = 20
"""After one edit in so many, everything is used."""
# Without the answer to its key, what its own author sends again is done again, and is in the log.
_DONE_AGAIN = {("idempotency", "Amina gives a grant again")}


@dataclass(slots=True)
class Verdict:
    """One edit, and what came of it."""

    edit: Edit
    unwritable: str = ""
    role: str = ""
    refused: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """`harmless` only says that nothing changed: whether that is right, the test says."""
        if self.unwritable:
            return f"refused by the database ({self.unwritable})"
        if self.refused and not self.changed:
            return "refused at use"
        if self.named:
            return "named by reconcile"
        if self.changed:
            return "A FOURTH KIND"
        return "harmless"


class Judge:
    """Applies edits one by one, each from the same state."""

    def __init__(self, story: Story, thief: Thief, service: "psycopg.Connection[Any]") -> None:
        self._story = story
        self._thief = thief
        self._service = service
        self._before: dict[str, Seen] = {}
        self._touched: dict[str, set[str]] = {}
        self._faults: set[str] = set()
        self._judged = 0

    async def begin(self, tables: Iterable[tuple[str, str]]) -> None:
        """Keep a copy of these tables (schema and name), and use everything once."""
        self._copies = Copies(self._thief, "kept", tables)
        self._before = await self._use(self._story.probes())
        self._faults = await self._reconciled()
        self._copies.restore()

    async def note_reads(self) -> None:
        """Use everything once more, each by itself with nothing in memory, and note what tables it
        touches: from here on only those uses are asked that an edit could reach."""
        reads = Reads(self._story.services, self._thief.connection)
        for name, probe in self._story.probes().items():
            self._story.forget()
            with reads.noting() as self._touched[name]:
                await _answered(probe)
        self._copies.restore()

    @property
    def before(self) -> dict[str, Seen]:
        return self._before

    @property
    def faults(self) -> set[str]:
        return self._faults

    @property
    def touched(self) -> dict[str, set[str]]:
        """The tables that each use touches."""
        return self._touched

    async def judge(self, edit: Edit) -> Verdict:
        verdict = Verdict(edit, role=self._as_the_service(edit))
        connection = self._thief.connection
        try:
            written = connection.execute(edit.statement).rowcount
        except psycopg.Error as error:
            verdict.unwritable = type(error).__name__
            return verdict
        if not written:
            verdict.unwritable = "no such row"
            return verdict
        try:
            await self._judge(verdict)
        finally:
            self._copies.restore()
        return verdict

    async def judge_rows(self, verdict: Verdict) -> Verdict:
        """For rows that the caller has put back by itself."""
        try:
            await self._judge(verdict)
        finally:
            self._copies.restore()
        return verdict

    async def _judge(self, verdict: Verdict) -> None:
        after = await self._use_after(verdict.edit)
        for name, (status, learnt) in after.items():
            was, known = self._before[name]
            if (status, learnt) == (was, known):
                continue
            if status >= 400:
                verdict.refused.append(f"{name}: {status}")
                continue
            if (verdict.edit.table, name) in _DONE_AGAIN:
                continue
            verdict.changed.append(name)
            if was >= 400:
                verdict.opened.append(name)
        verdict.untold = await self._untold(after)
        if verdict.refused and not verdict.changed and not verdict.untold:
            return  # refused: whether it is named too is not asked
        verdict.named = sorted(await self._reconciled() - self._faults)

    async def _use_after(self, edit: Edit) -> dict[str, Seen]:
        probes = self._story.probes()
        apart = {
            name
            for name, tables in self._touched.items()
            if not tables & set(edit.table.split(", "))
        }
        self._judged += 1
        if self._judged % _ALL_AFTER:
            return await self._use({name: probes[name] for name in probes if name not in apart})
        after = await self._use(probes)
        told = [name for name in apart if after[name] != self._before[name]]
        assert not told, (edit.table, told)
        return after

    async def _use(self, probes: dict[str, Probe]) -> dict[str, Seen]:
        self._story.forget()
        return {name: await _answered(probe) for name, probe in probes.items()}

    async def _untold(self, after: dict[str, Seen]) -> list[str]:
        """Contents that left, and that no new event of the log tells right: which paper, in which
        version, to whom."""
        told = set()
        for values in await self._new_events():
            if values["action"] == "document.read" and values["outcome"] == "allowed":
                who = values["actor"].get("name") or values["actor"]["kind"]
                told.add((who, *values["documents"], values["details"]["version"]))
        left = []
        for name, (status, learnt) in after.items():
            if "opens" in name and status == 200 and learnt:
                paper, _, version = learnt.rpartition(" ")
                who = "owner" if name.startswith(("Amina", "Bilal")) else "Camille Moreau"
                left.append((name, (who, self._story.documents.get(paper), int(version or 0))))
        return [name for name, expected in left if expected not in told]

    async def _new_events(self) -> list[dict[str, Any]]:
        """What was recorded since the last restoration, opened as its readers open it."""
        services = self._story.services
        new = text(
            "SELECT e.*, NULL AS state, NULL AS outcome_mac FROM unefois.access_event e WHERE"
            " NOT EXISTS (SELECT FROM kept.unefois_access_event k WHERE k.id = e.id)"
        )
        opened = []
        async with services.database.transaction() as tx:
            for row in (await tx.execute(new)).all():
                try:
                    (entry,) = await services.audit_log.open_entries(tx, [row])
                except (ServiceError, KeyProviderError, InvalidEvent, ValueError):
                    continue
                opened.append(entry.values)
        return [values for values in opened if values is not None]

    async def _reconciled(self) -> set[str]:
        services = self._story.services
        try:
            found = await reconcile(services, lambda _done, _of: None)
        except Exception as error:  # noqa: BLE001  (an operator sees it: the command fails)
            return {f"reconcile: {type(error).__name__}"}
        named = {f"{one.what} {one.table}" for one in found.faults.listed}
        log = TransparencyLog(
            services.settings, services.database, services.field_encryption, services.storage.blobs
        )  # with nothing in memory
        try:
            tree = Reconciler(services.database, log.store, await log.verifier())
            report = await tree.run(lambda _done, _of: None)
        except Exception as error:  # noqa: BLE001  (idem)
            return named | {f"reconcile --tree: {type(error).__name__}"}
        return named | {one.what for one in report.faults if one.what not in _GROWING}

    def _as_the_service(self, edit: Edit) -> str:
        """Whether the service's own role may write it."""
        try:
            self._service.execute(edit.statement)
        except psycopg.Error as error:
            return type(error).__name__
        finally:
            self._service.rollback()
        return "may"


async def _answered(probe: Probe) -> Seen:
    """What a caller is answered, also where the use case is called without HTTP."""
    try:
        return await probe()
    except KeyProviderError:
        return 503, ""


def shown(verdicts: list[Verdict]) -> str:
    """One line each, for the test's output."""
    lines = []
    for one in verdicts:
        why = "; ".join((one.refused[:2] or one.changed[:2]) + one.named[:2])
        role = "" if one.role == "may" else f" [service: {one.role}]"
        name = f"{one.edit.table}.{one.edit.column} {one.edit.name}"
        lines.append(f"{name:58} {one.kind}{role}" + (f": {why}" if why else ""))
    return "\n".join(lines)
