"""The key providers: one suite on both, then tests of each one.

moto, a mock, stands in for AWS KMS: it shows that our calls are well formed, that the context and
the key are bound, and how we handle AWS's refusals. It does not show AWS's permissions, throttling
and latencies, that a key disabled or about to be deleted refuses to encrypt and decrypt (moto
allows it), or that such a key is really gone a week later.
"""

import asyncio
import json
import multiprocessing
import os
import stat
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from base.settings import Settings
from storage.backends import key_provider
from storage.providers import KeyProvider, KeyProviderError
from storage.providers.aws_kms import AwsKms, KmsSettings
from storage.providers.local import LocalKeyring

SECRET = bytes(range(32))
CONTEXT = {"purpose": "test", "subject": "0190", "version": "1"}


@pytest.fixture(scope="session")
def kms_url() -> Iterator[str]:
    """moto as a KMS, on loopback."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def kms_settings(kms_url: str, monkeypatch: pytest.MonkeyPatch) -> KmsSettings:
    """The address; boto3 reads the credentials from the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return KmsSettings("eu-west-3", kms_url, attempts=2)


@pytest.fixture
async def aws_kms(kms_settings: KmsSettings) -> AsyncIterator[AwsKms]:
    provider = AwsKms(kms_settings)
    yield provider
    provider.close()


@pytest.fixture(params=["keyring", "aws_kms"])
def provider(request: pytest.FixtureRequest) -> KeyProvider:
    """Each key provider in turn."""
    chosen: KeyProvider = request.getfixturevalue(request.param)
    return chosen


# The contract of both


async def test_a_wrap_gives_its_secret_back(provider: KeyProvider) -> None:
    version = await provider.create()
    await provider.check(version)
    wrapped = await provider.wrap(version, SECRET, CONTEXT)
    assert SECRET not in wrapped
    assert await provider.unwrap(version, wrapped, CONTEXT) == SECRET
    assert await provider.wrap(version, SECRET, CONTEXT) != wrapped


async def test_versions_are_apart(provider: KeyProvider) -> None:
    first = await provider.create()
    second = await provider.create([first])
    assert first != second
    wrapped = await provider.wrap(first, SECRET, CONTEXT)
    with pytest.raises(KeyProviderError):
        await provider.unwrap(second, wrapped, CONTEXT)


@pytest.mark.parametrize("other", [{"subject": "0191"}, {"version": "2"}, {"more": "yes"}])
async def test_a_wrap_moved_to_another_row_is_refused(
    provider: KeyProvider, other: dict[str, str]
) -> None:
    version = await provider.create()
    wrapped = await provider.wrap(version, SECRET, CONTEXT)
    with pytest.raises(KeyProviderError):
        await provider.unwrap(version, wrapped, CONTEXT | other)


@pytest.mark.parametrize("at", [0, 13, -1])
async def test_an_altered_wrap_is_refused(provider: KeyProvider, at: int) -> None:
    version = await provider.create()
    wrapped = bytearray(await provider.wrap(version, SECRET, CONTEXT))
    wrapped[at] ^= 1
    for altered in (bytes(wrapped), bytes(wrapped[:-1]), b"", b"\0" * 11):
        with pytest.raises(KeyProviderError):
            await provider.unwrap(version, altered, CONTEXT)


async def test_a_destroyed_version_opens_nothing(provider: KeyProvider) -> None:
    version, other = await provider.create(), await provider.create()
    wrapped = await provider.wrap(version, SECRET, CONTEXT)
    await provider.destroy(version)
    with pytest.raises(KeyProviderError):
        await provider.check(version)
    if isinstance(provider, LocalKeyring):  # moto refuses nothing here; AWS does
        with pytest.raises(KeyProviderError):
            await provider.unwrap(version, wrapped, CONTEXT)
        with pytest.raises(KeyProviderError):
            await provider.wrap(version, SECRET, CONTEXT)
    await provider.destroy(version)  # again: no effect
    await provider.check(other)


async def test_an_unknown_version_is_refused(provider: KeyProvider) -> None:
    await provider.create()
    unknown = "local-0123456789abcdef"
    for refused in (provider.wrap(unknown, SECRET, CONTEXT), provider.check(unknown)):
        with pytest.raises(KeyProviderError):
            await refused


async def test_errors_and_shows_hold_no_secret(provider: KeyProvider) -> None:
    version = await provider.create()
    wrapped = await provider.wrap(version, SECRET, CONTEXT)
    with pytest.raises(KeyProviderError) as refused:
        await provider.unwrap(version, wrapped, {"subject": "a very private subject"})
    assert "private" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    assert SECRET.hex() not in repr(provider)


# The keyring


async def test_the_keyring_is_for_its_owner_alone(keyring: LocalKeyring) -> None:
    await keyring.create()
    assert stat.S_IMODE(keyring.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(keyring.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
async def test_a_keyring_open_to_others_is_refused(keyring: LocalKeyring, mode: int) -> None:
    version = await keyring.create()
    keyring.path.chmod(mode)
    with pytest.raises(KeyProviderError, match="chmod"):
        await LocalKeyring(keyring.path).check(version)


async def test_a_folder_open_to_others_is_refused(keyring: LocalKeyring) -> None:
    version = await keyring.create()
    keyring.path.parent.chmod(0o755)
    with pytest.raises(KeyProviderError, match="folder"):
        await LocalKeyring(keyring.path).check(version)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
async def test_a_keyring_of_another_account_is_refused(keyring: LocalKeyring) -> None:
    version = await keyring.create()
    os.chown(keyring.path, 65534, 65534)
    with pytest.raises(KeyProviderError, match="another account"):
        await LocalKeyring(keyring.path).check(version)


async def test_a_link_in_place_of_the_keyring_is_refused(keyring: LocalKeyring) -> None:
    version = await keyring.create()
    separate_transaction = keyring.path.with_name("aside.json")
    keyring.path.rename(separate_transaction)
    keyring.path.symlink_to(separate_transaction)
    with pytest.raises(KeyProviderError):
        await LocalKeyring(keyring.path).check(version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '{"format": "other", "versions": []}',
        '{"format": "unefois/keyring/v1", "versions": [{"id": "a"}]}',
        '{"format": "unefois/keyring/v1", "versions": [{"id": "a", "created_at": "", "key": ""}]}',
    ],
)
async def test_a_damaged_keyring_is_refused_and_left_alone(
    keyring: LocalKeyring, text: str
) -> None:
    await keyring.create()
    keyring.path.write_text(text)
    with pytest.raises(KeyProviderError, match="damaged"):
        await keyring.create()
    assert keyring.path.read_text() == text


async def test_a_rotation_in_another_process_is_seen(keyring: LocalKeyring) -> None:
    here, elsewhere = keyring, LocalKeyring(keyring.path)
    first = await here.create()
    wrapped = await here.wrap(first, SECRET, CONTEXT)
    second = await elsewhere.create()
    await here.check(second)
    assert await elsewhere.unwrap(first, wrapped, CONTEXT) == SECRET
    await elsewhere.destroy(first)
    with pytest.raises(KeyProviderError):
        await here.unwrap(first, wrapped, CONTEXT)


async def test_a_lost_keyring_is_noticed(keyring: LocalKeyring) -> None:
    version = await keyring.create()
    await keyring.check(version)
    keyring.path.unlink()
    with pytest.raises(KeyProviderError):
        await keyring.check(version)


async def test_a_destroyed_key_is_nowhere_in_the_folder(keyring: LocalKeyring) -> None:
    first = await keyring.create()
    await keyring.create()
    lines = json.loads(keyring.path.read_text())["versions"]
    key = next(line["key"] for line in lines if line["id"] == first)
    with keyring.path.open("rb") as before:  # the old file, which a disk may still hold
        await keyring.destroy(first)
        assert key.encode() not in before.read()
    for file in keyring.path.parent.iterdir():
        assert key not in file.read_text()
    gone = next(
        line for line in json.loads(keyring.path.read_text())["versions"] if line["id"] == first
    )
    assert "key" not in gone
    assert gone["destroyed_at"]


async def test_a_crash_while_writing_leaves_the_former_keyring(
    keyring: LocalKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = await keyring.create()
    wrapped = await keyring.wrap(version, SECRET, CONTEXT)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            keyring._destroy(version)
    again = LocalKeyring(keyring.path)
    assert await again.unwrap(version, wrapped, CONTEXT) == SECRET


def _create_five(path: Path) -> list[str]:
    ring = LocalKeyring(path)
    return [asyncio.run(ring.create()) for _ in range(5)]


def test_processes_that_create_together_lose_nothing(keyring: LocalKeyring) -> None:
    start = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=start) as processes:
        made = [one for some in processes.map(_create_five, [keyring.path] * 3) for one in some]
    lines = json.loads(keyring.path.read_text())["versions"]
    assert sorted(line["id"] for line in lines) == sorted(made)
    assert len(set(made)) == 15


# AWS KMS


async def test_the_operators_key_comes_first(kms_settings: KmsSettings, aws_kms: AwsKms) -> None:
    """The first version is the key that the operator made; the next ones are created."""
    made = boto3.client(
        "kms", region_name="eu-west-3", endpoint_url=kms_settings.endpoint_url
    ).create_key()["KeyMetadata"]
    settings = Settings(
        mode="demo",
        key_provider="aws-kms",
        kms_key_id=made["KeyId"],
        kms_endpoint_url=kms_settings.endpoint_url,
    )
    provider = key_provider(settings)
    assert isinstance(provider, AwsKms)
    first = await provider.create()
    assert first == made["Arn"]
    second = await provider.create([first])
    assert second != first
    await provider.check(second)
    provider.close()


async def test_a_disabled_key_is_not_usable(kms_settings: KmsSettings, aws_kms: AwsKms) -> None:
    version = await aws_kms.create()
    boto3.client(
        "kms", region_name="eu-west-3", endpoint_url=kms_settings.endpoint_url
    ).disable_key(KeyId=version.rsplit("/", 1)[1])
    with pytest.raises(KeyProviderError):
        await aws_kms.check(version)


async def test_a_silent_kms_is_an_error_in_a_bounded_time(
    monkeypatch: pytest.MonkeyPatch, kms_settings: KmsSettings
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    provider = AwsKms(
        KmsSettings("eu-west-3", f"http://127.0.0.1:{port}", read_timeout=0.2, attempts=2)
    )
    async with asyncio.timeout(10):
        with pytest.raises(KeyProviderError) as refused:
            await provider.check("some-key")
    assert str(port) not in str(refused.value)
    provider.close()
    silent.close()
