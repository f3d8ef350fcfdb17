"""Running other programs: by absolute path, in a minimal environment, never as root."""

import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_SYSTEM_PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"


class ProgramFailed(RuntimeError):
    """A program failed. The message names it and how it ended, never its input."""


@dataclass(frozen=True)
class Account:
    """An account of the operating system."""

    uid: int
    gid: int


def named_account(name: str) -> Account | None:
    """The account of this name, or None."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def make_account(name: str) -> Account:
    """The system account of this name, created if it is missing. Needs root.

    A *system* account, because systemd removes the shared memory of others when they log out.
    """
    if (account := named_account(name)) is None:
        useradd = shutil.which("useradd", path=_SYSTEM_PATH)
        if useradd is not None:
            options = [
                "--system",
                "--user-group",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
            ]
            # Its exit code does not matter: another process may have created the account meanwhile.
            subprocess.run([useradd, *options, name], check=False, capture_output=True)  # noqa: S603  (absolute path, fixed words)
        account = named_account(name)
    if account is None:
        raise ProgramFailed(
            f"PostgreSQL refuses to run as root, and the account {name!r} could not be made. "
            "Run the service as an ordinary user, or make that account."
        )
    return account


def run(
    program: Path, *arguments: str, account: Account | None, stdin: str = "", limit: float
) -> None:
    """Run `program` to its end as `account` (None: our own), with `stdin` as its input.

    `limit` is in seconds. Raises ProgramFailed. It gets its own session: Ctrl-C in our terminal
    must not reach it. Its output goes to a file: a server that it starts would keep a pipe open.
    """
    with tempfile.TemporaryFile() as output:
        try:
            result = subprocess.run(  # noqa: S603  (absolute path, no shell)
                [str(program), *arguments],
                input=stdin.encode(),
                stdout=output,
                stderr=output,
                check=False,
                timeout=limit,
                cwd="/",
                env={"PATH": _SYSTEM_PATH, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                umask=0o077,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except subprocess.TimeoutExpired:
            raise ProgramFailed(f"{program.name} did not end within {limit:.0f} s") from None
        except OSError as error:
            raise ProgramFailed(f"{program.name} cannot be run: {error.strerror}") from None
        if result.returncode != 0:
            output.seek(0)
            lines = output.read().decode(errors="replace").strip().splitlines()
            last = lines[-1] if lines else "no word"
            raise ProgramFailed(f"{program.name} ended with {result.returncode}: {last}")


def works_in(pid: int, folder: Path, name: str) -> bool:
    """Whether process `pid` is alive, is called `name` and has `folder` as its working folder.

    A pid alone proves nothing: it may belong to another process by now.
    """
    process = Path("/proc") / str(pid)
    if Path("/proc/self/cwd").exists():
        try:
            same_name = (process / "comm").read_text().strip() == name
            return same_name and (process / "cwd").samefile(folder)
        except OSError:
            return False
    listing = subprocess.run(  # noqa: S603  (absolute path, a number)
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
    )
    return name in listing.stdout and str(folder) in listing.stdout


def make_traversable(path: Path) -> None:
    """Let other accounts traverse the folders above `path`, without listing or reading them.

    Only the execute bit for others is added, and only where it is missing.
    """
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)


def make_readable(tree: Path) -> None:
    """Let other accounts read `tree` when it was installed for its owner only."""
    if tree.stat().st_mode & 0o005 == 0o005:
        return
    # From the inside out: a crash leaves the top folder closed, and the next call redoes all.
    for path in [*tree.rglob("*"), tree]:
        if path.is_symlink():
            continue
        mode = path.stat().st_mode
        path.chmod(mode | 0o004 | (0o001 if mode & 0o100 else 0))
