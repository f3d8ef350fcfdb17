"""Opens every FLOE known answer of a folder, byte for byte: python check_published.py [DIR].

The folder is the argument, or `UNEFOIS_FLOE_VECTORS`, or `../shared/vectors/floe` beside the
clone. `NAME_ct.txt` (hexadecimal) must open to `NAME_pt.txt` under a key of 32 zero bytes and the
AAD `This is AAD`. The files of the specification's `kats` folder that are named `rotation` change
keys more often than the standard says, and do not say how often: smaller masks are tried too.
"""

import os
import sys
from pathlib import Path

from storage.floe import ROTATION_MASK, InvalidCiphertext, Reason, open_bytes

KEY = bytes(32)
AAD = b"This is AAD"
ROOT = Path(__file__).resolve().parents[2]


def folder(arguments: list[str]) -> Path:
    """The folder of the known answers, which may not exist."""
    chosen = arguments[0] if arguments else os.environ.get("UNEFOIS_FLOE_VECTORS")
    return Path(chosen) if chosen else ROOT.parent / "shared" / "vectors" / "floe"


def known_answers(where: Path) -> list[Path]:
    """The sealed files of a folder, in order."""
    return sorted(where.glob("*_ct.txt"))


def open_known(sealed: Path) -> tuple[bytes, int]:
    """The plaintext of one file and the rotation mask that opened it. Raises
    `InvalidCiphertext`."""
    data = bytes.fromhex(sealed.read_text())
    masks = [4, 3, 2, 1, 0] if "rotation" in sealed.name else [ROTATION_MASK]
    for mask in masks:
        try:
            return open_bytes(KEY, AAD, data, rotation_mask=mask), mask
        except InvalidCiphertext as broken:
            if broken.reason is not Reason.TAG:
                raise
    raise InvalidCiphertext(Reason.TAG)


def expected(sealed: Path) -> bytes:
    """The plaintext published beside a sealed file."""
    return bytes.fromhex(sealed.with_name(sealed.name.replace("_ct", "_pt")).read_text())


def check(sealed: Path) -> str | None:
    """The error of one file, or `None`; prints its line."""
    name = sealed.name.removesuffix("_ct.txt")
    try:
        plaintext, mask = open_known(sealed)
        wrong = None if plaintext == expected(sealed) else "opens to other bytes"
    except (InvalidCiphertext, OSError, ValueError) as problem:
        plaintext, mask, wrong = b"", 0, f"{type(problem).__name__}: {problem}"
    print(f"{name}: {wrong or f'ok, {len(plaintext)} bytes, rotation mask {mask}'}")
    return wrong


def main(arguments: list[str]) -> int:
    """Exit status: 0 when there is at least one file and all of them open."""
    where = folder(arguments)
    files = known_answers(where)
    if not files:
        print(f"no known answer in {where}", file=sys.stderr)
        return 2
    failed = sum(check(file) is not None for file in files)
    print(f"{len(files) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
