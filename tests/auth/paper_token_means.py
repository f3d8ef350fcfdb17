"""A second means of signing in, a secret printed on paper: shows that a means is one new file.

Its hashes are kept in memory; a real means would have its rows in `auth/records/`.
"""

import hmac
import secrets
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection

from audit.events import Action
from auth import session_start
from auth.services import CoreServices
from auth.session_start import Account, Address, NewSession, OnVaultOpened, SignInRefused
from base.errors import ErrorKind, ServiceError


class PaperTokens:
    """Hands out one token for each address, and exchanges it for sessions."""

    def __init__(self, services: CoreServices) -> None:
        self._services = services
        self._hashes: dict[bytes, bytes] = {}

    async def hand_out(self, address: str) -> str:
        """A new token for a phone or a work e-mail."""
        token = secrets.token_urlsafe(32)
        self._hashes[(await self._address(address)).tag] = sha256(token.encode()).digest()
        return token

    async def sign_in(
        self,
        address: str,
        token: str,
        *,
        language: str = "fr",
        on_vault_opened: OnVaultOpened | None = None,
    ) -> NewSession:
        """Exchange a good token. Raises `ServiceError` UNAUTHENTICATED `token_invalid`, for a vault
        that is asleep too."""
        services = self._services
        owner = await self._address(address)
        async with services.database.transaction() as tx:
            account = await session_start.lock_account(services, tx, owner)
            ended = self._check(owner, token) or await session_start.start_session(
                services, tx, account, language=language, on_vault_opened=on_vault_opened
            )
            if isinstance(ended, SignInRefused):
                await self._record(tx, account, ended)
        if isinstance(ended, NewSession):
            return ended
        raise ServiceError(ErrorKind.UNAUTHENTICATED, "token_invalid")

    async def _address(self, address: str) -> Address:
        if "@" in address:
            return await session_start.email_address(self._services, address)
        return await session_start.phone_address(self._services, address)

    def _check(self, owner: Address, token: str) -> SignInRefused | None:
        expected = self._hashes.get(owner.tag, bytes(32))
        good = hmac.compare_digest(expected, sha256(token.encode()).digest())
        return None if good else SignInRefused("token_invalid")

    async def _record(self, tx: AsyncConnection, account: Account, refused: SignInRefused) -> None:
        await session_start.record_attempt(
            self._services, tx, account, Action.SIGN_IN_FAILED, refused.reason
        )
