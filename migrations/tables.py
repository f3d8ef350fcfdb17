"""Every table, imported so that the metadata is whole."""

from audit.log_records import LogLeaf
from audit.records import AccessEvent
from auth.records.messages import Message
from auth.records.people import Person
from auth.records.recipients import Organisation
from auth.records.sessions import Session
from auth.records.sign_ins import SignIn
from auth.records.tokens import SigningKeyRow
from base.database import Base
from storage.records import WrappedKey
from vault.records.retention import LogWarning
from vault.records.tables import Document

AUTH = (Person, Organisation, SignIn, Session, SigningKeyRow, Message)
FLOORS = (WrappedKey, AccessEvent, LogLeaf, *AUTH, Document, LogWarning)

metadata = Base.metadata
