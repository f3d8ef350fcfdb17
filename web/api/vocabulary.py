"""The closed lists of the API, as its description enumerates them.

A word that is not in its list is refused by the rule that it concerns, with the error of that rule:
the shapes here describe, and check no more than lengths. Words are only ever added.
"""

from collections.abc import Iterable
from typing import Annotated, Any, get_args

from pydantic import Field, JsonValue, StringConstraints
from typing_extensions import TypeAliasType

from audit.events import Action, ActorKind, Outcome
from auth.card_tries import DeskRefusal
from auth.means_log import MeansReason
from auth.session_start import SignInReason
from auth.visitor import DEVICES
from vault import catalogue
from vault.catalogue import DateThatMatters, Holder, SensitiveKind
from vault.decoding.media import Carries, Note, SignatureState
from vault.rules import Reason

_LENGTH = StringConstraints(min_length=1, max_length=64)


def _word(name: str, description: str, words: Iterable[str]) -> Any:
    """A type with a name of its own in the description: a generated client has one of it."""
    enum: list[JsonValue] = list(dict.fromkeys(map(str, words)))
    enumerated = Field(description=description, json_schema_extra={"enum": enum})
    return TypeAliasType(name, Annotated[str, _LENGTH, enumerated])


def _codes(entries: Iterable[Any]) -> list[str]:
    return [entry.code for entry in entries]


DocumentTypeCode = _word(
    "DocumentTypeCode",
    "A kind of paper; `GET /v1/document-types` says what each is.",
    _codes(catalogue.document_types()),
)
FamilyCode = _word("FamilyCode", "A heading of the catalogue.", _codes(catalogue.families()))
SensitiveKindCode = _word(
    "SensitiveKind", "Why a type is given one document at a time.", SensitiveKind
)
HolderWord = _word("HolderWord", "Whose name is on a kind of paper.", Holder)
DateThatMattersWord = _word(
    "DateThatMatters", "The one date of a kind of paper that matters.", DateThatMatters
)
PurposeCode = _word(
    "PurposeCode",
    "Why documents are asked for: "
    + "; ".join(f"`{each.code}`, {each.names.en}" for each in catalogue.purposes())
    + ".",
    _codes(catalogue.purposes()),
)
LegalBasisCode = _word(
    "LegalBasisCode",
    "On what ground: GDPR, Article 6(1)(a), (c) and (e).",
    _codes(catalogue.legal_bases()),
)
FileNote = _word("FileNote", "What was done to a file, or is to be known of it.", Note)
CarriesWord = _word("CarriesWord", "What a PDF has beside what it shows.", Carries)
SignatureStateWord = _word(
    "SignatureState",
    "`whole`: the whole file is as it was signed; `added_to`: something was added after; `altered`:"
    " it does not fit the file.",
    SignatureState,
)
ScanState = _word(
    "ScanState",
    "What the virus scan says.",
    ("not_scanned", "waiting", "clean", "infected"),
)
LoggedAction = _word("LoggedAction", "What was done or tried.", Action)
LoggedOutcome = _word("LoggedOutcome", "How it ended.", Outcome)
LoggedActorKind = _word("LoggedActorKind", "Who acted.", ActorKind)
_REASONS = (*Reason, *get_args(SignInReason), *get_args(MeansReason), *get_args(DeskRefusal))
RefusalReason = _word("RefusalReason", "Why it was refused.", _REASONS)
SendingState = _word(
    "SendingState",
    "Whether content was sent whole; `not_confirmed` until the end is known.",
    ("completed", "interrupted", "not_confirmed", "not_sent"),
)
DeviceWord = _word("DeviceWord", "On what a session was opened.", DEVICES)
