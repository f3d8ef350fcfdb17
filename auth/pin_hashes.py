"""What proves a PIN: Argon2id over it, under a pepper that only the keyring gives.

Whoever has the database alone lacks the pepper; whoever has a card alone lacks what to compare
with. 19 MiB and two passes (OWASP's least), about 30 ms: two at once in a process, the others wait.
Derive only with `in_turn` held, and no database connection.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from auth.services import CoreServices
from base.key_names import PIN_DECOY, PIN_PEPPER

SALT = 16
_MEMORY_KIB = 19 * 1024
_PASSES = 2
_DECOYS_IN_256 = 13
_threads = ThreadPoolExecutor(2, thread_name_prefix="pin")
_turns: "WeakValueDictionary[bytes, asyncio.Lock]" = WeakValueDictionary()


@asynccontextmanager
async def in_turn(*sources: bytes) -> AsyncIterator[None]:
    """Let the PINs of a source wait for each other in this process, before they take a thread or a
    database connection: whoever sends hundreds at once waits for their own, and nobody else does.

    `sources`: from the narrowest, such as one card from one network, to the widest, in the same
    order for everyone.
    """
    async with AsyncExitStack() as held:
        for source in sources:
            await held.enter_async_context(_turns.setdefault(source, asyncio.Lock()))
        yield


def new_salt() -> bytes:
    """Random, for one PIN."""
    return secrets.token_bytes(SALT)


async def verifier(services: CoreServices, person_id: UUID, salt: bytes, pin: str) -> bytes:
    """What proves a PIN of a person: 32 bytes. The same time for everyone."""
    pepper = await services.field_encryption.tag(PIN_PEPPER, person_id.bytes)
    return await asyncio.get_running_loop().run_in_executor(
        _threads, _argon2id, pin, salt, person_id.bytes, pepper
    )


async def is_decoy(services: CoreServices, person_id: UUID, pin: str) -> bool:
    """Whether a person may not choose this PIN, for no reason: one in twenty, others for everyone.

    A PIN that another vault of the same phone has is refused in the same words. Without these, that
    it is refused would say whose it is.
    """
    tag = await services.field_encryption.tag(PIN_DECOY, person_id.bytes, pin)
    return tag[0] < _DECOYS_IN_256


def _argon2id(pin: str, salt: bytes, bound_to: bytes, pepper: bytes) -> bytes:
    return Argon2id(
        salt=salt,
        length=32,
        iterations=_PASSES,
        lanes=1,
        memory_cost=_MEMORY_KIB,
        ad=bound_to,
        secret=pepper,
    ).derive(pin.encode())
