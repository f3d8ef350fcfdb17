"""Limits that the log shows were passed: someone deleted or put back what counts.

Both look back over a day or two of the log only.
"""

from collections import OrderedDict, deque
from datetime import datetime, timedelta

from audit.events import Action
from auth.code_limits import BUDGETS, DAY
from auth.pin_rules import PHONE_TRIES, SIX
from vault.reconciliation.faults import Faults
from vault.reconciliation.logged_act import LoggedAct
from vault.reconciliation.snapshot import Snapshot
from vault.services import Services

_SOON = timedelta(days=2)
"""An assertion expires ten minutes after it was signed."""

_Budget = tuple[str, str, int]
"""Whose codes, of which lane, of how many digits."""
_BUDGETS: dict[str, dict[int, int]] = {
    "pin": {SIX: PHONE_TRIES},
    "proof": {SIX: PHONE_TRIES},
    **{str(lane): budgets for lane, budgets in BUDGETS.items()},
}


class ReplayedLimits:
    """Wrong codes of one account, wrong PINs of a phone, wrong proofs of a person, and client
    assertions that were used."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._wrong: OrderedDict[_Budget, deque[datetime]] = OrderedDict()
        self._used: OrderedDict[str, datetime] = OrderedDict()

    async def load(self, snapshot: Snapshot) -> None:
        """Nothing is there to be read: what counts may be gone."""

    def see(self, act: LoggedAct) -> None:
        """Look at one event."""
        if not act.allowed and "digits" in act.details and "lane" in act.details:
            self._count(act)
        elif act.action == Action.TOKEN_ISSUED and act.allowed:
            self._use(act)

    async def compare(self, services: Services, snapshot: Snapshot, faults: Faults) -> None:
        """Named already, at the event that passes the limit."""

    def _count(self, act: LoggedAct) -> None:
        """One wrong code, of a vault or of a worker; strangers' addresses have no account."""
        account = str(act.person) if act.person is not None else act.word("worker")
        lane, digits = act.word("lane"), int(act.details["digits"])
        if lane == "pin":
            account = act.word("address")
        if account is None or lane not in _BUDGETS:
            return
        budget = (account, lane, digits)
        times = self._wrong.setdefault(budget, deque())
        self._wrong.move_to_end(budget)
        times.append(act.at)
        while times[0] <= act.at - DAY:
            times.popleft()
        if len(times) > _BUDGETS[lane].get(digits, 0):
            table = "person" if act.person is not None else "worker"
            table = "wrong_codes" if lane in ("pin", "proof") else table
            self._faults.add("guesses", table, account)
        while next(iter(self._wrong.values()))[-1] <= act.at - _SOON:
            self._wrong.popitem(last=False)

    def _use(self, act: LoggedAct) -> None:
        used = act.word("assertion")
        if used is None:
            return  # an event of before
        if used in self._used:
            self._faults.add("replayed", "access_event", act.id)
        self._used[used] = act.at
        while next(iter(self._used.values())) <= act.at - _SOON:
            self._used.popitem(last=False)
