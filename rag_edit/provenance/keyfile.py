"""Private keys at rest: a file sealed under a passphrase (scrypt, AES-256-GCM), or a variable of the environment for CI.

The file says in clear which key it holds; the seal covers that and every parameter, so that none can be exchanged. It is
made for its owner alone (mode 0600) and refused when others can read it. It is never overwritten: a new key is a new file.
For unattended machines the passphrase may come from a second file, kept elsewhere, made by `local_passphrase`.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rag_edit.core.digest import Json, canonical_json
from rag_edit.provenance.canonical import from_base64, read_json, to_base64
from rag_edit.provenance.errors import KeyFileError, MalformedError
from rag_edit.provenance.signer import SEED_BYTES, KeyName, SeedSigner

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FORMAT: Final = "rag-edit key 1"
ENVIRONMENT: Final = "RAG_EDIT_SIGNING_KEY"
WORK: Final = 15  # scrypt's N is 2**WORK: about 0.1 s and 32 MiB
LEAST_WORK, MOST_WORK = 10, 20
_FIELDS: Final = {"format", "key", "nonce", "salt", "sealed", "work"}

RandomBytes = Callable[[int], bytes]


def create_key_file(
    path: Path, passphrase: bytes, *, work: int = WORK, random: RandomBytes = secrets.token_bytes
) -> SeedSigner:
    """Make a new key, write it sealed to ``path`` and return its signer.

    Args:
        path: Must not exist yet.
        passphrase: At least one byte; what a person types needs the default ``work``.
        work: log2 of scrypt's cost; low values are for passphrases of 32 random bytes.
        random: Source of randomness.

    Raises:
        KeyFileError: ``path`` exists or cannot be written, or the passphrase is empty.
    """
    seed = random(SEED_BYTES)
    signer = SeedSigner(seed)
    salt, nonce = random(16), random(12)
    head: dict[str, Json] = {
        "format": FORMAT,
        "key": signer.key,
        "nonce": to_base64(nonce),
        "salt": to_base64(salt),
        "work": work,
    }
    sealed = _cipher(path, passphrase, salt, work).encrypt(nonce, seed, canonical_json(head))
    _write_new(path, canonical_json({**head, "sealed": to_base64(sealed)}) + b"\n")
    return signer


def open_key_file(path: Path, passphrase: bytes) -> SeedSigner:
    """Return the signer of a key file.

    Raises:
        KeyFileError: no such file, readable by others, not a key file, changed, or another passphrase.
    """
    from cryptography.exceptions import InvalidTag

    head = _read(path)
    sealed = head.pop("sealed")
    try:
        nonce = from_base64(str(head["nonce"]), where="nonce", length=12)
        salt = from_base64(str(head["salt"]), where="salt", length=16)
        blob = from_base64(str(sealed), where="sealed", length=SEED_BYTES + 16)
        seed = _cipher(path, passphrase, salt, head["work"]).decrypt(nonce, blob, canonical_json(head))
    except MalformedError as error:
        raise KeyFileError(str(path), error.wanted, error.found) from error
    except InvalidTag as error:
        raise KeyFileError(str(path), "the passphrase that sealed it", "another one, or a changed file") from error
    signer = SeedSigner(seed)
    if signer.key != head["key"]:
        raise KeyFileError(str(path), f"the private half of {head['key']}", f"that of {signer.key}")
    return signer


def key_of_file(path: Path) -> KeyName:
    """Return which key a file says it holds; no passphrase is needed, and nothing is proved.

    Raises:
        KeyFileError: no such file, readable by others, or not a key file.
    """
    return str(_read(path)["key"])


def signer_from_environment(environ: Mapping[str, str], name: str = ENVIRONMENT) -> SeedSigner:
    """Return the signer whose private key (32 bytes in base64) stands in a variable. For CI only: other processes may see it.

    Raises:
        KeyFileError: the variable is not set, or holds something else.
    """
    if name not in environ:
        raise KeyFileError(f"environment variable {name}", "a private key", "nothing")
    try:
        return SeedSigner(from_base64(environ[name], where=name, length=SEED_BYTES))
    except MalformedError:
        # the cause is dropped: it may quote the secret
        raise KeyFileError(f"environment variable {name}", f"{SEED_BYTES} bytes in base64", "something else") from None


def local_passphrase(path: Path, *, random: RandomBytes = secrets.token_bytes) -> bytes:
    """Return the random passphrase of this machine, made at the first call. Keep it on another disk than the keys.

    Raises:
        KeyFileError: it cannot be read or made, or others can read it.
    """
    try:
        _refuse_readable(path)
        return from_base64(path.read_text("ascii").strip(), where=str(path), length=32)
    except FileNotFoundError:
        made = random(32)
        _write_new(path, to_base64(made).encode() + b"\n")
        return made
    except (OSError, UnicodeDecodeError, MalformedError) as error:
        raise KeyFileError(str(path), "32 bytes in base64", type(error).__name__) from error


def read_passphrase(path: Path) -> bytes:
    """Return the passphrase that stands in a file of one line, which its owner alone may read.

    Raises:
        KeyFileError: it cannot be read, others can read it, or it is empty.
    """
    try:
        _refuse_readable(path)
        found = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise KeyFileError(str(path), "a passphrase", error.strerror or type(error).__name__) from error
    if not found:
        raise KeyFileError(str(path), "a passphrase", "an empty file")
    return found


def _cipher(path: Path, passphrase: bytes, salt: bytes, work: Json) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    if not passphrase:
        raise KeyFileError(str(path), "a passphrase", "an empty one")
    if not isinstance(work, int) or not LEAST_WORK <= work <= MOST_WORK:  # a hostile file may not ask for all the memory
        raise KeyFileError(str(path), f"work from {LEAST_WORK} to {MOST_WORK}", repr(work))
    return AESGCM(Scrypt(salt=salt, length=32, n=1 << work, r=8, p=1).derive(passphrase))


def _read(path: Path) -> dict[str, Json]:
    try:
        _refuse_readable(path)
        plain = read_json(path.read_bytes(), where=str(path), max_bytes=4096)
    except FileNotFoundError as error:
        raise KeyFileError(str(path), "a key file", "no such file") from error
    except OSError as error:
        raise KeyFileError(str(path), "a readable key file", error.strerror or type(error).__name__) from error
    except MalformedError as error:
        raise KeyFileError(str(path), error.wanted, error.found) from error
    if not isinstance(plain, dict) or set(plain) != _FIELDS or plain["format"] != FORMAT:
        raise KeyFileError(str(path), f"a file of format {FORMAT!r}", "another form")
    return plain


def _refuse_readable(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise KeyFileError(str(path), "a file that its owner alone can read (chmod 600)", f"mode {mode:o}")


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all, also after a kill, and never in the place of another."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What a kill left may be another name of a file in use: to write into it would be to lose that.
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        finally:
            fresh.unlink()
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except FileExistsError as error:
        raise KeyFileError(str(path), "a path where there is nothing yet", "a file") from error
    except OSError as error:
        raise KeyFileError(str(path), "a place to write to", error.strerror or type(error).__name__) from error
