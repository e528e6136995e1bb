"""Proving from a home's ledger what was live in a jurisdiction, or that nothing was: see `rag_edit.provenance.claim`."""

from collections.abc import Sequence

from rag_edit.core.digest import Json
from rag_edit.core.errors import UsageError
from rag_edit.provenance.audit import audit_ledger
from rag_edit.provenance.claim import make_claim
from rag_edit.provenance.errors import VerificationError
from rag_edit.trust.office import Office


def prove_live(
    office: Office, asked: Sequence[tuple[str, ...]], *, position: int | None = None, note: str = ""
) -> dict[str, Json]:
    """Return the claim on what was live under some names, from the whole ledger, verified.

    Args:
        office: Of an open home.
        asked: A jurisdiction each; with a topic; with a record.
        position: When the ledger had so many entries; None: now.
        note: The signed head to prove it under, as a receipt holds it; empty: the newest.

    Raises:
        UsageError: the ledger has not so many entries, or had no map of what is live then.
        ProvenanceError: the ledger does not hold.
    """
    office.ready()
    head, leaves = office.ledger.seal(), list(office.store.ledger.leaves())
    audited = audit_ledger(leaves, head, office.note_keys())
    position = audited.tree.size if position is None else position
    if position > audited.tree.size:
        raise UsageError(f"wanted a position up to {audited.tree.size}, found {position}", hint="rag-edit ledger log")
    try:
        return make_claim(audited, leaves, note or head, position, asked)
    except VerificationError as error:
        raise UsageError(
            f"nothing can be proved of position {position}: {error}",
            hint="rag-edit apply FILE: from the next edit on the ledger has a map of all that is live",
        ) from error
