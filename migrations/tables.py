"""Every table, imported so that the metadata is whole."""

from audit.records import AccessEvent
from auth.records.people import Person
from auth.records.recipients import Organisation
from auth.records.sessions import SignIn
from base.database import Base
from storage.records import WrappedKey
from vault.records.tables import Document

FLOORS = (WrappedKey, AccessEvent, Person, Organisation, SignIn, Document)

metadata = Base.metadata
