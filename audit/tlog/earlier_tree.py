"""A checkpoint of the first leaves of a tree that was signed: of the exact size that was drawn."""

import hmac

from audit.tlog.checkpoint import Checkpoint, InvalidCheckpoint, sign_checkpoint, verify_checkpoint
from audit.tlog.merkle import verify_consistency
from audit.tlog.notes import Signer
from audit.tlog.prover import Prover
from audit.tlog.records import Signed
from audit.tlog.right_edge import RightEdge, cut, edge_tiles
from audit.tlog.sequencer import read_tile
from audit.tlog.store import LogStore
from audit.tlog.tiles import HEIGHT, WIDTH, Tile


async def earlier_edge(store: LogStore, newest: Signed, size: int) -> RightEdge:
    """The right edge of the first `size` leaves, cut out of the tiles of `newest`.

    The store is not trusted: the caller MUST check the root. Raises `InvalidTile`.
    """
    return RightEdge.of(
        size, {tile: await _cut(store, newest.size, tile) for tile in edge_tiles(size)}
    )


async def sign_earlier(newest: Signed, edge: RightEdge, prover: Prover, signer: Signer) -> Signed:
    """Sign the tree of `edge`, once it is proved that `newest`, which we signed, continues it.

    The caller MUST keep it before it leaves. Raises `InvalidCheckpoint`, `InvalidProof`,
    `InvalidTile`.
    """
    # 1. The newest checkpoint is ours, and of the root that its row says.
    signed = verify_checkpoint(newest.note, signer.verifier).checkpoint
    if signed.size != newest.size or not hmac.compare_digest(signed.root, newest.root):
        raise InvalidCheckpoint("signature")
    # 2. It continues this tree: both checkpoints are of one history.
    proof = await prover.consistency(edge.size, newest.size)
    verify_consistency(edge.size, newest.size, edge.root(), newest.root, proof)
    # 3. Sign. The same tree gives the same bytes, whoever signs it, and whenever.
    checkpoint = Checkpoint(signer.verifier.name, edge.size, edge.root())
    note = sign_checkpoint(checkpoint, signer).encode()
    return Signed(edge.size, checkpoint.root, b"".join(edge.range.hashes), note)


async def _cut(store: LogStore, size: int, tile: Tile) -> bytes:
    """A partial tile of an earlier tree, from the tile that the tree of `size` leaves has there."""
    width = (size >> (HEIGHT * max(tile.level, 0))) - tile.index * WIDTH
    stored = Tile(tile.level, tile.index, min(width, WIDTH))
    return cut(await read_tile(store, stored), tile)
