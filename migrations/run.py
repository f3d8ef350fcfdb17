"""Running the migrations from the service's commands."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from pydantic import SecretStr


def _config(url: SecretStr) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["url"] = url.get_secret_value()
    return config


def upgrade(url: SecretStr, revision: str = "head") -> None:
    """Upgrade a database to a revision; `url` is that of the owner of its tables."""
    command.upgrade(_config(url), revision)


def check(url: SecretStr) -> None:
    """Raise unless the tables in the code equal those of the migrated database."""
    command.check(_config(url))
