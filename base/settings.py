"""Every setting of the service: typed, documented, refused when unsafe in production.

Each is read from the environment variable `UNEFOIS_<NAME>`, except the two database addresses,
which keep their usual names.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from base.contact import normal_email
from base.errors import ServiceError
from base.networks import Networks, parse_networks

MIB = 1024 * 1024


def default_home() -> Path:
    """Where a service without configuration keeps its files."""
    return Path.home() / ".unefois"


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="UNEFOIS_", env_ignore_empty=True, populate_by_name=True, extra="ignore"
    )

    mode: Literal["demo", "production"] = Field(
        "production", description="`demo` allows the embedded defaults and the visible inbox."
    )
    home: Path = Field(
        default_factory=default_home,
        description="Folder of the keyring, the directory store and the embedded PostgreSQL.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000",
        description="The address people type; also the issuer of tokens. https in production.",
    )
    quick_exit_url: str = Field(
        "https://meteofrance.com/",
        pattern=r"^https://[^\s\"'<>]+$",
        description="Where « Cacher » leads, at the top of people's pages: a neutral page.",
    )
    host: str = Field("127.0.0.1", description="Address the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port it listens on; 0: a free one.")
    management_host: str = Field(
        "127.0.0.1",
        description="Address where readiness and metrics are answered, by `serve` and by `work`."
        " Whoever reaches it reads them: keep it from strangers.",
    )
    management_port: int | None = Field(
        None,
        ge=0,
        le=65535,
        description="Port of readiness and metrics; 0: a free one; empty: 9000, or a free one when"
        " another process has it, which the log says.",
    )

    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL, restricted role. Empty: the embedded PostgreSQL, in the home.",
    )
    migrations_database_url: SecretStr | None = Field(
        None,
        validation_alias="MIGRATIONS_DATABASE_URL",
        description="PostgreSQL, owner of the tables; for `init`, `migrate`, `bind-rows`, `backup`"
        " and `restore`. `serve` and `work` go without it.",
    )
    database_pool: int = Field(20, ge=2, le=200, description="Connections kept to PostgreSQL.")

    blob_store: Literal["directory", "s3"] = Field(
        "directory", description="Where sealed files go."
    )
    s3_endpoint_url: str | None = Field(None, description="Address of the S3 server; empty: AWS.")
    s3_bucket: str = Field("unefois", description="Bucket of the sealed files.")
    s3_region: str = Field("eu-west-3", description="Region of the bucket.")
    s3_access_key: str | None = Field(None, description="S3 access key.")
    s3_secret_key: SecretStr | None = Field(None, description="S3 secret key.")
    s3_parts_folder: Path | None = Field(
        None,
        description="Folder where sealed parts wait for S3, in files without a name, up to 5 MiB"
        " for each deposit under way; empty: the system's for temporary files.",
    )

    key_provider: Literal["local", "aws-kms"] = Field(
        "local", description="Who wraps the keys: a keyring file, or AWS KMS."
    )
    kms_key_id: str | None = Field(None, description="First KMS key (ARN), for `aws-kms`.")
    kms_region: str = Field("eu-west-3", description="Region of the KMS keys.")
    kms_endpoint_url: str | None = Field(None, description="Address of the KMS; empty: AWS.")
    key_retention_days: int = Field(
        35,
        ge=7,
        le=365,
        description="Days that a retired root version lives on, for the backups that need it.",
    )

    messenger: Literal["console", "inbox", "smtp"] = Field(
        "smtp", description="How codes leave: printed, kept in the demo inbox, or really sent."
    )
    smtp_host: str = Field("127.0.0.1", description="SMTP server for e-mails.")
    smtp_port: int = Field(25, description="Port of the SMTP server.")
    smtp_user: str | None = Field(None, description="SMTP user.")
    smtp_password: SecretStr | None = Field(None, description="SMTP password.")
    smtp_start_tls: bool = Field(True, description="Require STARTTLS; off only on loopback.")
    mail_from: str = Field("ne-pas-repondre@localhost", description="Sender of e-mails.")
    operator_email: str = Field(
        "", description="Address of the operator, who is told of each reported access and answers."
    )
    report_answer_days: int = Field(
        7,
        ge=1,
        le=28,
        description="Days within which the operator answers a reported access: whoever reports one"
        " is told so. Never more than the month of the law (GDPR, article 12(3)).",
    )
    sms_gateway_url: str | None = Field(None, description="HTTP gateway that sends SMS (POST).")
    sms_gateway_token: SecretStr | None = Field(None, description="Bearer token of the gateway.")

    speech_command: str = Field(
        "espeak-ng -v {language} -s 140 -w {output} --stdin",
        description="Program that `unefois voices` speaks with, and its words; no shell. It reads a"
        " sentence on its standard input and writes WAV or MP3 to `{output}`; `{language}` is fr,"
        " en, es, ar or uk.",
    )

    clamd_address: str | None = Field(
        None, description="clamd, `host:port` or a socket path; empty: documents say not scanned."
    )

    max_document_bytes: int = Field(50 * MIB, ge=1024, description="Largest document, in bytes.")
    max_parts: int = Field(20, ge=1, le=100, description="Most photos of one paper.")
    max_vault_documents: int = Field(
        2000, ge=1, le=20_000, description="Most papers of a vault, those in the trash included."
    )
    max_vault_bytes: int = Field(
        2048 * MIB,
        ge=MIB,
        le=1024 * 1024 * MIB,
        description="Most bytes of a vault, as they were sent: every version, the trash included."
        " People are told from 80 % on.",
    )
    max_grant_documents: int = Field(
        200, ge=1, description="Most papers that the recipient of one grant may add in all."
    )
    max_grant_bytes: int = Field(
        500 * MIB, ge=MIB, description="Most bytes that the recipient of one grant may add in all."
    )
    max_versions: int = Field(50, ge=1, description="Most versions of one paper.")
    decoders: int = Field(2, ge=1, le=16, description="Files decoded at the same time.")
    decoding_seconds_per_hour: int = Field(
        120,
        ge=30,
        description="Processor seconds that reading the files of one account may take: so many at"
        " once, then as many an hour, spread over it. A photo takes 0.1 to 1.",
    )
    requests_per_hour: int = Field(
        20,
        ge=1,
        description="Consent requests that a worker may make in an hour, and grants that a person"
        " may give.",
    )
    client_requests_per_hour: int = Field(
        600,
        ge=1,
        description="Consent requests that one client may make in an hour.",
    )
    sign_ins_per_hour: int = Field(
        10,
        ge=1,
        description="Sign-ins that one network begins for one phone or e-mail address in an hour"
        " with five tries each; each further one has a single try.",
    )
    sign_ins_per_hour_from_one_address: int = Field(
        120,
        ge=1,
        description="Sign-ins started from one network address: so many at once, then as many an"
        " hour, spread over it.",
    )
    failures_at_once: int = Field(
        60,
        ge=1,
        description="Refused requests that strangers of one network address (of a /64 in IPv6) may"
        " make at once; an account that signed in may make ten times as many.",
    )
    failures_per_minute: int = Field(
        30, ge=1, description="How many more each minute after that; an account ten times as many."
    )
    person_session_hours: int = Field(24 * 30, ge=1, description="Life of a person's session.")
    worker_session_hours: int = Field(10, ge=1, description="Life of a worker's session.")
    log_origin: str | None = Field(
        None,
        max_length=200,
        pattern=r"^[^\s+]+$",
        description="Name of the log; empty: the host of the public address, then `/log`."
        " It is kept with the log for ever.",
    )
    log_cadence_seconds: int | None = Field(
        None,
        ge=1,
        le=86400,
        description="Seconds between two public checkpoints of the log, whatever happened;"
        " empty: 600, and 1 in the demo.",
    )
    log_padding_events: int | None = Field(
        None,
        ge=0,
        le=500,
        description="Least number of events that each publication of the log adds, twice that at"
        " most, filled with padding; at least 16 in production; 0: no padding; empty: 24, and 0 in"
        " the demo.",
    )
    log_witnesses: str = Field(
        "", description="Witnesses of the log: `VKEY@URL`, separated by blanks."
    )
    log_witnesses_needed: int = Field(
        0, ge=0, le=16, description="How many of them must have cosigned a public checkpoint."
    )
    log_retention_years: int = Field(
        3,
        ge=1,
        le=30,
        description="Years that the log stays readable after the one it speaks of; people are told"
        " before. Announce it.",
    )
    sequencer_in_process: bool = Field(
        True, description="Let the server process integrate the log; one process does at a time."
    )
    jobs_in_process: bool = Field(True, description="Run the jobs inside the server process.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severity that is logged."
    )
    trusted_proxies: str | None = Field(
        None,
        description="Addresses and networks (`10.0.0.0/24`) of the proxies whose X-Forwarded-For is"
        " believed, separated by commas; `none`: no proxy is in front. Required in production;"
        " otherwise empty is this machine.",
    )

    @property
    def proxies(self) -> Networks:
        """Those whose word on the caller's address is taken."""
        return parse_networks(self.trusted_proxies or _THIS_MACHINE)

    @property
    def log_cadence(self) -> int:
        """Seconds between two public checkpoints."""
        return self.log_cadence_seconds or (1 if self.mode == "demo" else 600)

    @property
    def log_padding(self) -> int:
        """The least number of leaves of a publication; 0 means that nothing is padded."""
        if self.log_padding_events is None:
            # A demo hides nobody's habits, and publishes every second: padding would fill the disk.
            return 0 if self.mode == "demo" else 24
        return self.log_padding_events

    @field_validator("trusted_proxies")
    @classmethod
    def _refuse_unreadable_proxies(cls, given: str | None) -> str | None:
        try:
            parse_networks(given or _THIS_MACHINE)
        except ValueError:
            raise ValueError(
                "must be addresses and networks, such as 10.0.0.2, 10.1.0.0/24, or the word none"
            ) from None
        return given

    @field_validator("database_url", "migrations_database_url")
    @classmethod
    def _refuse_other_databases(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not given.get_secret_value().startswith(_POSTGRESQL):
            raise ValueError("must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
        return given

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        if self.mode == "production":
            wrong = [*self._unsafe_reach(), *self._unsafe_storage()]
            if wrong:
                raise ValueError("unsafe in production: " + "; ".join(wrong))
        return self

    def _unsafe_reach(self) -> list[str]:
        """What is wrong with how people and the operator are reached, and what the public sees."""
        wrong: list[str] = []
        if not self.public_url.startswith("https://"):
            wrong.append("UNEFOIS_PUBLIC_URL must begin with https://")
        if self.trusted_proxies is None:
            wrong.append(
                "UNEFOIS_TRUSTED_PROXIES is missing: write the address of the proxy that ends TLS,"
                " as this service sees it, or `none` if none is in front"
            )
        if self.messenger != "smtp":
            wrong.append("UNEFOIS_MESSENGER must be smtp: codes may not be shown")
        if self.messenger == "smtp" and not self.smtp_start_tls and not _loopback(self.smtp_host):
            wrong.append("UNEFOIS_SMTP_START_TLS may be off only on loopback")
        if self.log_padding < _LEAST_PADDING:
            wrong.append(
                f"UNEFOIS_LOG_PADDING_EVENTS is below {_LEAST_PADDING}: the public log would show"
                " when something happened"
            )
        if self.sms_gateway_url is None:
            wrong.append("UNEFOIS_SMS_GATEWAY_URL is missing: people sign in by SMS")
        if not _is_email(self.operator_email):
            wrong.append("UNEFOIS_OPERATOR_EMAIL must be an e-mail address: reports are told there")
        return wrong

    def _unsafe_storage(self) -> list[str]:
        """What is wrong with how the stores and the keys are reached."""
        wrong: list[str] = []
        if self.blob_store == "s3" and _placeholder(self.s3_secret_key):
            wrong.append("UNEFOIS_S3_SECRET_KEY is empty or a placeholder")
        if self.key_provider == "aws-kms" and not self.kms_key_id:
            wrong.append("UNEFOIS_KMS_KEY_ID is missing")
        for name, url in (
            ("DATABASE_URL", self.database_url),
            ("MIGRATIONS_DATABASE_URL", self.migrations_database_url),
        ):
            if url is not None and any(
                f":{word}@" in url.get_secret_value() for word in PLACEHOLDERS
            ):
                wrong.append(f"{name} carries a placeholder password")
        return wrong


_LEAST_PADDING = 16
_POSTGRESQL = ("postgresql://", "postgresql+psycopg://")
_THIS_MACHINE = "127.0.0.1, ::1"
PLACEHOLDERS = ("changeme", "change-me", "password", "secret", "example", "postgres", "placeholder")


def _loopback(host: str) -> bool:
    return host in {"127.0.0.1", "::1", "localhost"}


def _is_email(address: str) -> bool:
    try:
        return bool(normal_email(address))
    except ServiceError:
        return False


def _placeholder(secret: SecretStr | None) -> bool:
    return secret is None or secret.get_secret_value().lower() in {"", *PLACEHOLDERS}
