"""The errors of rag_edit: one class a failure, each saying where, what was wanted, what was found and what to run.

RagEditError
    ConfigError              a setting or an extra is missing or wrong
    UsageError               the caller asked for something that makes no sense
    RecordError
        InvalidRecordsError  a file's records do not hold; lists every fault
        UnknownRecordError   no record has this id
        ConflictError        records contradict live ones
        CollisionError       records' own probes go to other records
        GateError            records fail what the home's policy asks for
        RetractedRecordError the record was withdrawn
    StoreError
        StoreLockedError     another process owns the store
        StoreCorruptError    the store cannot be opened or fails its own check
        StoreMissingError    no store at this home
        StaleVersionError    the expected version is not the live one
        IdempotencyError     one key, two different contents
    PartitionError
        CorruptPartitionError   files of a partition fail their check
        EmbedderMismatchError   vectors of another encoder
    ModelError
        ModelMissingError    weights are not where they were looked for
        WeightsChangedError  frozen weights are not bit-equal to what was loaded
        UpstreamError        an upstream server failed; says whether a retry may help
    JurisdictionError
        UnknownJurisdictionError  (in core.jurisdiction, beside the atlas that knows the names)

``ValueError`` and ``TypeError`` are for a caller's bug; these are for the world's. No module here prints or exits: the
command line turns ``exit_code`` into its own.
"""

from collections.abc import Sequence
from typing import ClassVar, Final

MAX_SHOWN: Final = 20


class RagEditError(Exception):
    """Base of all errors of this package.

    Attributes:
        hint: A command or an act that leads out; empty where there is none.
        retryable: Whether the same call may succeed later, unchanged.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", retryable: bool = False) -> None:
        super().__init__(message)
        self.message, self.hint, self.retryable = message, hint, retryable

    def __str__(self) -> str:
        return f"{self.message}\n  try: {self.hint}" if self.hint else self.message


class ConfigError(RagEditError):
    """A setting or an optional dependency is missing or wrong."""


class MissingExtraError(ConfigError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"this needs the package {package}, which is not installed", hint=f"pip install 'rag-edit[{extra}]'")


class UsageError(RagEditError):
    """The request itself makes no sense; nothing was done."""

    exit_code = 2


class RecordError(RagEditError):
    """Something is wrong with records."""


class InvalidRecordsError(RecordError):
    """Files hold records that break the format; every fault is listed and nothing was applied.

    Attributes:
        faults: One line each, ``file:line:field: wanted ..., found ...``.
    """

    def __init__(self, faults: Sequence[str], *, hint: str = "see knowledge/README.md for the format") -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        super().__init__("\n".join([f"{count} fault{'s' if count != 1 else ''}, nothing applied:", *self.faults]), hint=hint)


class UnknownRecordError(RecordError):
    """No record has this id."""

    exit_code = 3

    def __init__(self, record_id: str, near: Sequence[str] = ()) -> None:
        self.record_id, self.near = record_id, tuple(near)
        nearest = f"; nearest ids: {', '.join(self.near)}" if self.near else ""
        super().__init__(f"no record has the id {record_id!r}{nearest}", hint="rag-edit record list")


class ConflictError(RecordError):
    """Records to be applied contradict live records or one another."""

    def __init__(self, conflicts: Sequence[str], *, hint: str = "rag-edit apply PATH --on-conflict newest|skip") -> None:
        self.conflicts = tuple(conflicts)
        count = len(self.conflicts)
        super().__init__(
            "\n".join([f"{count} conflict{'s' if count != 1 else ''}, nothing applied:", *self.conflicts]), hint=hint
        )


class CollisionError(RecordError):
    """Own probes of records to be applied are answered by others."""

    def __init__(self, collisions: Sequence[str]) -> None:
        self.collisions = tuple(collisions)
        count = len(self.collisions)
        super().__init__(
            "\n".join([f"{count} collision{'s' if count != 1 else ''}, nothing applied:", *self.collisions]),
            hint="word the records apart, or: rag-edit apply PATH --on-collision warn",
        )


class GateError(RecordError):
    """Records to be applied fail what the home's policy asks for."""

    def __init__(self, refusing: Sequence[str]) -> None:
        self.refusing = tuple(refusing)
        count, shown = len(self.refusing), self.refusing[:MAX_SHOWN]
        more = [f"... and {count - MAX_SHOWN} more: rag-edit verify PATH has all"] if count > MAX_SHOWN else []
        super().__init__(
            "\n".join(
                [f"the policy refuses this, {count} finding{'s' if count != 1 else ''}, nothing applied:", *shown, *more]
            ),
            hint="mend the records; or see all: rag-edit verify PATH; or: rag-edit apply PATH --force REASON",
        )


class NotVerifiedError(RecordError):
    """Records that ask for a model's words failed their probes on every rung."""

    def __init__(self, failed: Sequence[str]) -> None:
        self.failed = tuple(failed)
        count = len(self.failed)
        super().__init__(
            "\n".join([f"{count} record{'s' if count != 1 else ''} held on no rung, nothing applied:", *self.failed]),
            hint="serve them verbatim, train an adapter, or: rag-edit apply PATH --no-verify REASON",
        )


class RetractedRecordError(RecordError):
    """The record was withdrawn already."""

    def __init__(self, record_id: str) -> None:
        self.record_id = record_id
        super().__init__(f"record {record_id!r} is retracted already", hint=f"rag-edit record history {record_id}")


class StoreError(RagEditError):
    """Something is wrong with the store."""

    exit_code = 3


class StoreLockedError(StoreError):
    """Another process owns the store file."""

    def __init__(self, path: str, holder: str) -> None:
        self.path, self.holder = path, holder
        super().__init__(f"{path} is held by {holder}", hint="wait for it to end, or stop it", retryable=True)


class StoreMissingError(StoreError):
    """There is no store at this home."""

    def __init__(self, home: str) -> None:
        self.home = home
        super().__init__(f"no store at {home}", hint=f"rag-edit --home {home} init")


class StoreCorruptError(StoreError):
    """The store cannot be opened, or what it holds fails its own check."""

    def __init__(self, path: str, found: str) -> None:
        self.path, self.found = path, found
        super().__init__(f"{path} cannot be trusted: {found}", hint="rag-edit restore SNAPSHOT, then: rag-edit doctor")


class StaleVersionError(StoreError):
    """The expected version of a record is not the newest one."""

    exit_code = 1

    def __init__(self, record_id: str, expected: int, found: int) -> None:
        self.record_id, self.expected, self.found = record_id, expected, found
        super().__init__(
            f"record {record_id!r}: expected version {expected}, the store holds {found}",
            hint=f"rag-edit record show {record_id}",
            retryable=True,
        )


class IdempotencyError(StoreError):
    """One idempotency key was used for two different contents."""

    exit_code = 1

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"the idempotency key {key!r} was used before with other content", hint="use a new key")


class PartitionError(RagEditError):
    """Something is wrong with a partition of the index."""


class CorruptPartitionError(PartitionError):
    """The files of a partition fail their check; it is rebuilt from the store."""

    def __init__(self, where: str, wanted: str, found: str) -> None:
        self.where, self.wanted, self.found = where, wanted, found
        super().__init__(f"{where}: wanted {wanted}, found {found}", hint="rag-edit index build")


class EmbedderMismatchError(PartitionError):
    """A partition's vectors were made by another encoder."""

    def __init__(self, where: str, wanted: str, found: str) -> None:
        self.where, self.wanted, self.found = where, wanted, found
        super().__init__(f"{where} was built by encoder {found}, the open one is {wanted}", hint="rag-edit index build")


class ModelError(RagEditError):
    """Something is wrong with a model."""


class ModelMissingError(ModelError):
    """Model weights are not where they were looked for."""

    exit_code = 3

    def __init__(self, wanted: str, looked: Sequence[str], *, hint: str = "make demo") -> None:
        self.wanted, self.looked = wanted, tuple(looked)
        super().__init__(f"{wanted} was not found; looked in: {', '.join(self.looked) or 'nowhere'}", hint=hint)


class WeightsChangedError(ModelError):
    """Frozen weights are no longer bit-equal to what was loaded."""

    def __init__(self, expected: str, found: str) -> None:
        self.expected, self.found = expected, found
        super().__init__(f"the frozen weights changed: loaded as {expected}, now {found}", hint="restart; then report this")


class UpstreamError(ModelError):
    """An upstream server answered with an error, too late or not at all.

    Attributes:
        status: HTTP status, or None where no response came.
    """

    def __init__(self, base_url: str, found: str, *, status: int | None = None, retryable: bool = False) -> None:
        self.base_url, self.found, self.status = base_url, found, status
        super().__init__(f"upstream {base_url}: {found}", hint="check the upstream's address, key and log", retryable=retryable)


class JurisdictionError(RagEditError):
    """Something is wrong with a jurisdiction."""
