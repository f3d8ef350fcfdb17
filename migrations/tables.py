"""Every table, imported so that the metadata is complete."""

from audit.records import AccessEvent
from audit.tlog.records import LogLeaf
from auth.oauth.records import SigningKeyRow
from auth.records.anchors import AnchorRow
from auth.records.browsers import Browser
from auth.records.cards import CardRow
from auth.records.closings import ClosingRow
from auth.records.desk_forms import DeskForm
from auth.records.joins import VaultJoin
from auth.records.messages import Message
from auth.records.people import PersonRow
from auth.records.pin_steps import PinStep
from auth.records.pins import PinRow
from auth.records.rate_buckets import RateBucket
from auth.records.recipients import OrganisationRow
from auth.records.representations import Representation
from auth.records.sessions import Session
from auth.records.sign_ins import SignIn
from base.database import Base
from storage.records import WrappedKey
from vault.access_log.records import LogWarning, Report
from vault.consent.records.consent_evidence import ConsentEvidence
from vault.consent.records.labels import PersonLabel
from vault.consent.records.mandates import Mandate
from vault.consent.records.meetings import Meeting
from vault.consent.records.receipt_keys import ReceiptKeyRow
from vault.documents.uploads.records import Upload
from vault.exports.records import Archive
from vault.maintenance.records import ErasedVault
from vault.recovery.records import Recovery
from vault.tables import Document
from vault.trusted.records import TrustedPerson

_MEANS = (AnchorRow, CardRow, DeskForm, PinRow, PinStep)
AUTH = (
    PersonRow,
    OrganisationRow,
    SignIn,
    Browser,
    Session,
    SigningKeyRow,
    Message,
    RateBucket,
    VaultJoin,
    Representation,
    ClosingRow,
    *_MEANS,
)
_CONSENT = (ConsentEvidence, Mandate, Meeting, PersonLabel, ReceiptKeyRow)
VAULT = (
    Document,
    *_CONSENT,
    Upload,
    Archive,
    TrustedPerson,
    LogWarning,
    Recovery,
    Report,
    ErasedVault,
)
TABLES = (WrappedKey, AccessEvent, LogLeaf, *AUTH, *VAULT)

metadata = Base.metadata
