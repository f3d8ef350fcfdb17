"""What reconciling names: which row, and what is wrong with it. Pure."""

from dataclasses import dataclass, field

MAX_FAULTS = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, a word of `WORDS`; in which table; and the row's id, or whom it is about."""

    what: str
    table: str
    id: str

    def __str__(self) -> str:
        """One sentence."""
        return f"{self.table} {self.id}: {WORDS[self.what]}"


WORDS = {
    # A row alone.
    "mac": "the row was made or changed without the service's key",
    "sealed": "what the row seals does not open under its owner's key",
    "key_missing": "the key of the row's owner is gone",
    "tag": "the row's tag is not that of what it seals",
    "halves": "the public key is not that of the sealed private key",
    "files": "the files are not those that it was stored with",
    "does_not_unwrap": "the wrapped secret does not open under its root version",
    "of_no_vault": "the key belongs to no vault",
    "root_absent": "the root of trust does not have this version",
    "root_remains": "said to be destroyed, and the root of trust still has it",
    # The log.
    "forged": "the event was not written by the service",
    "does_not_open": "the event does not open, or is not the one committed to",
    "columns": "the event's columns are not what it says",
    "bound_again": "rows that had MACs were bound again: whatever was in them that day is believed",
    "unreadable": "events of a year that is kept do not open: their key is gone",
    # A row and the log.
    "missing": "the log says that it is there, and it is not",
    "not_in_log": "the log does not say that it was made",
    "older": "the row is not the last state that the log tells",
    "back": "the log says that it was removed or cancelled, and it is there",
    "versions": "the document's versions are not those that the log tells",
    "infected": "a version that the log calls infected is not marked so",
    "revoked": "the log says that it was revoked, and the rows do not",
    "not_revoked": "the rows say that it was revoked, and the log does not",
    "history": "its history is not what the log tells",
    "not_narrowed": "the log says that it was narrowed, and the row is wider",
    "answer": "the answer is not the one that the log tells",
    "unanswered": "the log says that it was answered, and the row does not",
    "ended": "the log says that the session ended, and it is live",
    "barred": "the log says that the account was barred, and it is active",
    "not_barred": "the account is barred, and the log does not say so",
    "former_active": "a former root version is the active one",
    "end_date": "the end of the root version is not the date that the log tells",
    "not_destroyed": "the log says that the root version was destroyed, and its row does not",
    "vaults_vanished": "more vaults are gone than the log says were erased",
    "vaults_back": "fewer vaults are gone than the log says were erased: one was put back",
    "guesses": "more wrong codes or PINs than are ever compared: the counts were reset",
    "replayed": "one assertion was exchanged for two tokens",
}


@dataclass(slots=True)
class Faults:
    """The faults found: `count` of all of them, and the first thousand in `listed`."""

    count: int = 0
    listed: list[Fault] = field(default_factory=list)

    def add(self, what: str, table: str, name: object) -> None:
        """Note one; `what` is a word of `WORDS`."""
        fault = Fault(what, table, str(name))
        if fault in self.listed:
            return
        self.count += 1
        if len(self.listed) < MAX_FAULTS:
            self.listed.append(fault)
