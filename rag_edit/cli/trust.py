"""Commands for who may do what and what can be proved: who, ledger, receipt, suspend, resume."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from rag_edit.cli.home import AsJson, Home, Jurisdiction, home_of, now, print_json, print_lines
from rag_edit.core.errors import UsageError

ledger_app = typer.Typer(
    help="The signed ledger of every edit: look, verify, export.", no_args_is_help=True, rich_markup_mode=None
)
receipt_app = typer.Typer(help="Receipts of answers: look, verify, export.", no_args_is_help=True, rich_markup_mode=None)
Reason = Annotated[str, typer.Option("--reason", help="Why; for all to see.")]
ReceiptId = Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt's name, or a file that export wrote.")]


def register(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    app.command()(who)
    app.command()(suspend)
    app.command()(resume)
    app.add_typer(ledger_app, name="ledger")
    app.add_typer(receipt_app, name="receipt")


@contextmanager
def _office(home: Home, *, check: bool = True) -> Iterator[Any]:
    from rag_edit.trusting import open_office

    with home.store() as store:
        yield open_office(home.path, home.settings, store, check=check)


def who(
    context: typer.Context,
    jurisdiction: Jurisdiction = None,
    topic: Annotated[str, typer.Option("--topic", help="About this topic, such as tax.vat.")] = "",
    power: Annotated[str | None, typer.Option("--power", help="Only this power: propose, approve, publish, ...")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who may do what in a jurisdiction, and by which mandate."""
    from rag_edit.authority.mandate import ALL_POWERS, Power, Remit
    from rag_edit.core.atlas import default_atlas

    home = home_of(context)
    if power is not None and power not in ALL_POWERS:
        raise UsageError(f"--power: wanted one of {', '.join(ALL_POWERS)}, found {power!r}", hint="rag-edit who")
    place = Remit(str(default_atlas().parse(jurisdiction or home.settings.jurisdiction)), topic)
    found = []
    with _office(home) as office:
        office.ready()
        for each in [Power(power)] if power else ALL_POWERS:
            for key, permit in office.book.may_who(each, place, now=now()):
                found.append(
                    {
                        "power": str(each),
                        "person": permit.actor.person,
                        "institution": permit.actor.institution,
                        "key": key,
                        "mandates": [list(chain) for chain in permit.chains],
                    }
                )
    if as_json:
        print_json({"jurisdiction": place.jurisdiction, "topic": topic, "may": found})
    else:
        for line in found:
            by = "; ".join(" under ".join(chain) for chain in line["mandates"])
            print_lines(f"{line['power']:10} {line['person']} for {line['institution']}, by mandate {by}")


def _target(record: str | None, partition: str | None, everything: bool) -> Any:
    from rag_edit.authority.acts import EVERYTHING, Reach, Target
    from rag_edit.core.atlas import default_atlas

    if sum((record is not None, partition is not None, everything)) != 1:
        raise UsageError("wanted one of RECORD, --partition CODE and --all", hint="rag-edit suspend --help")
    if everything:
        return EVERYTHING
    if partition is not None:
        return Target(Reach.PARTITION, str(default_atlas().parse(partition)))
    assert record is not None
    return Target(Reach.RECORD, record)


Suspended = Annotated[str | None, typer.Argument(metavar="[RECORD]", help="A record's id.")]
Partition = Annotated[str | None, typer.Option("--partition", metavar="CODE", help="All records of this jurisdiction.")]
Everything = Annotated[bool, typer.Option("--all", help="Every record.")]


def suspend(
    context: typer.Context,
    reason: Reason,
    record: Suspended = None,
    partition: Partition = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Switch a record, a jurisdiction or everything off, at once: until it is resumed, the base model answers."""
    from rag_edit.authority.acts import Suspend

    target = _target(record, partition, everything)
    with _office(home_of(context)) as office:
        office.act(lambda _book, key, at: Suspend(key, at, target, reason=reason))
    print_json({"suspended": str(target)}) if as_json else print_lines(f"suspended {target}")


def resume(
    context: typer.Context,
    reason: Reason,
    record: Suspended = None,
    partition: Partition = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Serve again what was suspended."""
    from rag_edit.authority.acts import Resume

    target = _target(record, partition, everything)

    def make(book: Any, key: str, at: Any) -> Any:
        found = book.state.suspensions.get(target)
        return Resume(key, at, target, found.position if found else 0, reason=reason)

    with _office(home_of(context)) as office:
        office.act(make)
    print_json({"resumed": str(target)}) if as_json else print_lines(f"resumed {target}")


@ledger_app.command("log")
def log(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the ledger's entries, the newest last."""
    from rag_edit.provenance.keyring import read_entries

    with _office(home_of(context)) as office:
        entries, _ = read_entries(office.store.ledger.leaves())
    lines = [_line(entry) for entry in entries[-limit:]]
    if as_json:
        print_json({"size": len(entries), "entries": lines})
    else:
        for each in lines:
            print_lines(f"{each['index']:6} {each['at']:20} {each['kind']:10} {each['about']}")


@ledger_app.command("show")
def show_entry(
    context: typer.Context, index: Annotated[int, typer.Argument(metavar="INDEX", help="The entry's number.")]
) -> None:
    """Show what one entry says, who signed it, and the proof that it stands in the ledger. JSON."""
    from rag_edit.office import plain_statement
    from rag_edit.provenance.keyring import read_entries

    with _office(home_of(context)) as office:
        entries, _ = read_entries(office.store.ledger.leaves())
        if not 0 <= index < len(entries):
            raise UsageError(f"wanted an entry from 0 to {len(entries) - 1}, found {index}", hint="rag-edit ledger log")
        entry = entries[index]
        print_json(
            {
                "index": index,
                "signed_by": sorted(entry.signers),
                "statement": plain_statement(entry.statement),
                "proof": office.ledger.prove(index).to_text(),
            }
        )


@ledger_app.command("verify")
def verify_ledger(context: typer.Context, as_json: AsJson = False) -> None:
    """Verify every entry, every signed head that was kept, and that every act was permitted when it was done."""
    from rag_edit.office import read_book
    from rag_edit.provenance.audit import audit_ledger
    from rag_edit.trusting import territory

    with _office(home_of(context)) as office:
        office.ready()
        origin, leaves = office.ledger.origin, list(office.store.ledger.leaves())
        kept = [note for note in office.anchor.notes() if note.startswith(f"{origin}\n")]
        audited = audit_ledger(leaves, office.ledger.seal(), office.note_keys(), old=kept)
        book = read_book(leaves, territory())
    live = sum(1 for line in book.state.records.values() if line.live)
    found = {"ok": True, "name": origin, "entries": audited.tree.size, "heads": len(kept), "live_records": live}
    if as_json:
        print_json(found)
    else:
        print_lines(f"ok: {found['entries']} entries, {len(kept)} signed heads, {live} live records, every act permitted")


@ledger_app.command()
def checkpoint(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the signed head, to be kept elsewhere, and the key that signs it."""
    with _office(home_of(context)) as office:
        office.ready()
        note, keys = office.ledger.seal(), [str(key) for key in office.note_keys()]
    if as_json:
        print_json({"checkpoint": note, "keys": keys})
    else:
        print_lines(note.rstrip("\n"), "", *keys)


@ledger_app.command("export")
def export_ledger(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new or empty directory.")],
    as_json: AsJson = False,
) -> None:
    """Write the ledger as static files for an auditor (C2SP tlog-tiles)."""
    from rag_edit.provenance.tiles import export_tiles

    with _office(home_of(context)) as office:
        office.ready()
        size = export_tiles(out, office.store.ledger.leaves(), office.ledger.seal())
        keys = [str(key) for key in office.note_keys()]
    if as_json:
        print_json({"entries": size, "directory": str(out), "keys": keys})
    else:
        print_lines(f"{size} entries in {out}; verify them with", *keys)


@ledger_app.command("succeed")
def go_on(context: typer.Context, reason: Reason, as_json: AsJson = False) -> None:
    """Go on from a store that is older than, or contradicts, what was signed: under a new name of the ledger, for all to see."""
    with _office(home_of(context), check=False) as office:
        ledger = office.go_on(reason)
    print_json({"name": ledger.origin}) if as_json else print_lines(f"the ledger goes on as {ledger.origin}")


@receipt_app.command("list")
def list_receipts(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest receipts."""
    from rag_edit.provenance.receipt import read_body

    with home_of(context).store() as store:
        bodies = [read_body(kept.body) for kept in store.receipts.newest(limit)]
    lines = [
        {"id": b.id, "issued": b.issued, "route": b.decided.route, "reason": b.decided.reason, "winner": b.decided.winner}
        for b in bodies
    ]
    if as_json:
        print_json({"receipts": lines})
    else:
        for each in lines:
            print_lines(f"{each['id']}  {each['issued']}  {each['route']:8} {each['reason']:16} {each['winner']}")


@receipt_app.command("show")
def show_receipt(
    context: typer.Context,
    name: ReceiptId,
    language: Annotated[str, typer.Option("--language", help="Of the words: en, de, fr, es.")] = "en",
    as_json: AsJson = False,
) -> None:
    """Show what a receipt says, in plain words or as it was signed."""
    import json

    from rag_edit.provenance.explain import explain
    from rag_edit.provenance.receipt import read_body, read_receipt

    receipt = read_receipt(_receipt_bytes(home_of(context), name)[0])
    if as_json:
        print_json(json.loads(receipt.body))
    else:
        print_lines(explain(read_body(receipt.body), language, index=receipt.proof.index))


@receipt_app.command("verify")
def verify_one(
    context: typer.Context,
    name: ReceiptId,
    question: Annotated[str | None, typer.Option("--question", help="Also check that this was the question.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="Also check that this was the answer.")] = None,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt: signatures, proofs, the ledger behind it, and that deciding again gives the same. Exit code 1: it does not hold."""
    from rag_edit.provenance.audit import audit_ledger
    from rag_edit.provenance.verify import Disclosed, verify_receipt
    from rag_edit.receipting import RECEIPTS, redecide, salts_of

    home = home_of(context)
    data, secret = _receipt_bytes(home, name)
    texts = {"question": question, "answer": answer}
    salts = salts_of(secret)
    missing = [label for label, text in texts.items() if text is not None and label not in salts]
    if missing:
        raise UsageError(f"{name}: the salt of its {missing[0]} is not here", hint="name a receipt of this home")
    with _office(home) as office:
        keys = office.note_keys()
        audited = audit_ledger(office.store.ledger.leaves(), office.ledger.seal(), keys)
        trust = office.trust(RECEIPTS)
    disclosed = Disclosed({label: (salts[label], text.encode()) for label, text in texts.items() if text is not None})
    verified = verify_receipt(data, trust, ledger=audited, disclosed=disclosed, redecide=redecide)
    if as_json:
        print_json(
            {"holds": verified.holds, "checks": [{"name": c.name, "held": c.held, "found": c.found} for c in verified.checks]}
        )
    else:
        for check in verified.checks:
            print_lines(f"{'ok  ' if check.held else '-   ' if check.held is None else 'BAD '} {check.name}: {check.found}")
    if not verified.holds:
        raise typer.Exit(1)


@receipt_app.command("export")
def export_receipt(
    context: typer.Context,
    name: ReceiptId,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
) -> None:
    """Write a receipt to a file, for whoever was given the answer, and show the keys that verify it."""
    from rag_edit.receipting import RECEIPTS

    home = home_of(context)
    out.write_bytes(_receipt_bytes(home, name)[0])
    with _office(home) as office:
        trust = office.trust(RECEIPTS)
    print_lines(f"{out}", *map(str, (*trust.receipts, *trust.ledger)))


def _receipt_bytes(home: Home, name: str) -> tuple[bytes, bytes]:
    """Return a receipt as a file, and the salts that are kept beside it (none for a file)."""
    from rag_edit.keeping import receipt_of

    if Path(name).is_file():
        return Path(name).read_bytes(), b""
    with home.store() as store:
        kept = store.receipts.get(name)
    if kept is None:
        raise UsageError(f"wanted a receipt of this home or a file, found {name!r}", hint="rag-edit receipt list")
    return receipt_of(kept).to_bytes(), kept.secret


def _line(entry: Any) -> dict[str, Any]:
    said = entry.statement
    first, more = said.subjects[0].name, len(said.subjects) - 1
    about = first if not more else f"{first} and {more} more"
    by = said.predicate.get("by", min(entry.signers))
    return {"index": entry.index, "kind": said.kind, "at": said.predicate.get("at", ""), "by": by, "about": about}
