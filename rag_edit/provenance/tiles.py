"""The ledger as static files, in the layout of C2SP tlog-tiles: any file server is a read interface, others' verifiers work.

``checkpoint`` is the signed head; ``tile/entries/N`` hold 256 entries each, with their lengths; ``tile/L/N`` hold 256 hashes
each. Only the entries are needed to check everything: `read_tiles` takes the hashes from them, never from the hash tiles.

Source: c2sp.org/tlog-tiles.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from rag_edit.provenance.canonical import MAX_ENTRY_BYTES
from rag_edit.provenance.checkpoint import read_checkpoint_text
from rag_edit.provenance.errors import MalformedError, VerificationError
from rag_edit.provenance.merkle import Tree, hash_leaf
from rag_edit.provenance.note import split_note

WIDTH: Final = 256


def tile_path(level: int | str, number: int, width: int = WIDTH) -> str:
    """Return the path of a tile: ``tile/0/x001/x234/067``, with ``.p/W`` where it is not full.

    Args:
        level: 0, 1, ... or ``entries``.
        number: The tile's index within its level.
        width: Hashes or entries in it, 1 to 256.
    """
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == WIDTH else f".p/{width}")


def tiles_of(leaves: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of every tile of a log, entries and hashes.

    Raises:
        MalformedError: an entry is longer than the format can say.
    """
    hashes: list[bytes] = []
    bundle: list[bytes] = []
    for leaf in leaves:
        if len(leaf) > MAX_ENTRY_BYTES:
            raise MalformedError(f"entry {len(hashes)}", f"at most {MAX_ENTRY_BYTES} bytes", f"{len(leaf)}")
        hashes.append(hash_leaf(leaf))
        bundle.append(len(leaf).to_bytes(2, "big") + leaf)
        if len(bundle) == WIDTH:
            yield tile_path("entries", len(hashes) // WIDTH - 1), b"".join(bundle)
            bundle.clear()
    if bundle:
        yield tile_path("entries", len(hashes) // WIDTH, len(bundle)), b"".join(bundle)
    level = 0
    while hashes:
        tiles = [hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)]
        for number, tile in enumerate(tiles):
            yield tile_path(level, number, len(tile)), b"".join(tile)
        hashes = [Tree(tile).root() for tile in tiles if len(tile) == WIDTH]
        level += 1


def export_tiles(directory: Path, leaves: Iterable[bytes], note: str) -> int:
    """Write a log as static files into a new or empty directory and return how many entries it has.

    Args:
        directory: Made where it is missing.
        leaves: The entries that ``note`` signs, as stored.
        note: Their signed checkpoint; written last, so that a directory with a checkpoint is whole.

    Raises:
        MalformedError: the directory holds something.
        VerificationError: the entries are not those that the checkpoint signs.
        OSError: it cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise MalformedError(str(directory), "an empty directory", "files")
    head = read_checkpoint_text(split_note(note)[0])
    tree = Tree()

    def counted() -> Iterator[bytes]:
        for leaf in leaves:
            tree.append(hash_leaf(leaf))
            yield leaf

    for path, content in tiles_of(counted()):
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if (tree.size, tree.root()) != (head.size, head.root):
        raise VerificationError(str(directory), f"the {head.size} entries that the checkpoint signs", f"{tree.size}, or others")
    (directory / "checkpoint").write_text(note, "utf-8")
    return tree.size


def read_tiles(directory: Path) -> tuple[list[bytes], str]:
    """Return the entries and the signed checkpoint of an export. Nothing is verified; hash tiles are not read.

    Raises:
        MalformedError: files are missing or not in the layout.
    """
    try:
        note = (directory / "checkpoint").read_text("utf-8")
        size = read_checkpoint_text(split_note(note)[0]).size
        leaves: list[bytes] = []
        while len(leaves) < size:
            width = min(WIDTH, size - len(leaves))
            path = tile_path("entries", len(leaves) // WIDTH, width)
            leaves += _entries((directory / path).read_bytes(), width, path)
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedError(str(directory), "a log in tiles", f"{type(error).__name__}: {error}") from error
    return leaves, note


def _entries(bundle: bytes, width: int, where: str) -> list[bytes]:
    entries: list[bytes] = []
    at = 0
    while at + 2 <= len(bundle) and len(entries) < width:
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        entries.append(bundle[at + 2 : end])
        at = end
    if at != len(bundle) or len(entries) != width:
        raise MalformedError(where, f"{width} entries with their lengths", f"{len(bundle)} bytes that hold other")
    return entries
