"""The head: a small file beside the database that says which file is the store and how far it was acknowledged.

A database that lost its last transaction opens without a word. The head, written after every commit, knows better: a store
that comes back shorter than it, or with another chain, is refused. A store that is longer was killed between commit and
head; that is normal. Naming the database file also makes a restore one step: write the new file, then the head.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rag_edit.core.digest import Json, canonical_json
from rag_edit.core.errors import StoreCorruptError
from rag_edit.records.durable import replacing
from rag_edit.records.log import Tail

HEAD_NAME: Final = "head.json"
FORMAT: Final = "rag-edit store 1"


@dataclass(frozen=True, slots=True)
class Head:
    """What was last acknowledged: ``database`` is a file name in the store's directory, ``tail`` where its log ended."""

    database: str
    tail: Tail

    def write(self, directory: Path) -> None:
        """Replace the head file, durably."""
        plain: dict[str, Json] = {
            "chain": self.tail.chain,
            "database": self.database,
            "format": FORMAT,
            "position": self.tail.seq,
        }
        with replacing(directory / HEAD_NAME) as file:
            file.write(canonical_json(plain) + b"\n")


def read_head(directory: Path) -> Head | None:
    """Return the head, or None where there is no such file.

    Raises:
        StoreCorruptError: the file is not a head.
    """
    path = directory / HEAD_NAME
    try:
        plain = json.loads(path.read_bytes())
        if plain["format"] != FORMAT:
            raise StoreCorruptError(str(path), f"its format is {plain['format']!r}, wanted {FORMAT!r}")
        head = Head(str(plain["database"]), Tail(int(plain["position"]), str(plain["chain"])))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreCorruptError(str(path), f"not a head file ({type(error).__name__}: {error})") from error
    if Path(head.database).name != head.database or not head.database:
        raise StoreCorruptError(str(path), f"it names {head.database!r}, wanted a file in the same directory")
    return head
