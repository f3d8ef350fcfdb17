"""Sign-ins under way, sessions, used assertions, and messages waiting to leave."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from base.database import Base, now


class SignIn(Base):
    """A code sent, or pretended to be: the row is the same whether or not the account exists."""

    __tablename__ = "sign_in"
    __table_args__ = (
        CheckConstraint("kind IN ('person', 'worker')", name="kind"),
        Index("ix_sign_in_address_tag_created_at", "address_tag", "created_at"),
        Index("ix_sign_in_expires_at", "expires_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    address_tag: Mapped[bytes]
    sealed: Mapped[bytes]
    code_tag: Mapped[bytes]
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Session(Base):
    """An opaque token, hashed; one row a device."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('person', 'worker')", name="subject_kind"),
        Index("uq_session_token_hash", "token_hash", unique=True),
        Index("ix_session_subject_id", "subject_id"),
        Index("ix_session_expires_at", "expires_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class UsedAssertion(Base):
    """A client assertion's `jti`, hashed, kept until the assertion expires: used once."""

    __tablename__ = "used_assertion"
    __table_args__ = (Index("ix_used_assertion_expires_at", "expires_at"),)
    jti_hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


class Message(Base):
    """A message waiting to leave: sealed address and text, deleted when sent."""

    __tablename__ = "message"
    __table_args__ = (CheckConstraint("channel IN ('sms', 'email')", name="channel"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]
    sealed: Mapped[bytes]
    attempts: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=now())
