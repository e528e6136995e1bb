"""`rag-edit receipt` and `incident`: receipts of answers, and those that a record touched."""

from pathlib import Path
from typing import Annotated, Any

import typer

from rag_edit.cli.home import AsJson, Home, home_of, print_json, print_lines
from rag_edit.cli.served import segment
from rag_edit.core.errors import UsageError

app = typer.Typer(help="Receipts of answers: look, verify, export.", no_args_is_help=True, rich_markup_mode=None)
ReceiptId = Annotated[str, typer.Argument(metavar="RECEIPT", help="The receipt's name, or a file that export wrote.")]


def register(parent: typer.Typer) -> None:
    """Add `incident` to ``parent``."""
    parent.command()(incident)


@app.command("list")
def list_receipts(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest receipts."""
    from rag_edit.gateway.views import receipt_line
    from rag_edit.provenance.receipt import read_body

    home = home_of(context)
    if (server := home.server) is not None:
        lines = server.get("/receipts", limit=min(limit, 1000))["receipts"]
    else:
        with home.store() as store:
            lines = [receipt_line(read_body(kept.body)) for kept in store.receipts.newest(limit)]
    if as_json:
        print_json({"receipts": lines})
    else:
        for each in lines:
            print_lines(f"{each['id']}  {each['issued']}  {each['route']:8} {each['reason']:16} {each['winner']}")


@app.command("show")
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

    receipt = read_receipt(receipt_bytes(home_of(context), name)[0])
    if as_json:
        print_json(json.loads(receipt.body))
    else:
        print_lines(explain(read_body(receipt.body), language, index=receipt.proof.index))


@app.command("verify")
def verify_one(
    context: typer.Context,
    name: ReceiptId,
    question: Annotated[str | None, typer.Option("--question", help="Also check that this was the question.")] = None,
    answer: Annotated[str | None, typer.Option("--answer", help="Also check that this was the answer.")] = None,
    again: Annotated[
        bool, typer.Option("--replay", help="With --question: answer again, as things were known then, and compare.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Verify a receipt: signatures, proofs, the ledger behind it, and that deciding again gives the same. Exit code 1: it does not hold."""
    from rag_edit.provenance.audit import audit_ledger
    from rag_edit.provenance.verify import Disclosed, verify_receipt
    from rag_edit.trust.receipting import RECEIPTS, redecide, salts_of

    home = home_of(context)
    if again and question is None:
        raise UsageError("--replay needs the question: a receipt does not hold it", hint="--question TEXT")
    if (server := home.server) is not None and not Path(name).is_file():
        found = server.post(f"/receipts/{segment(name)}/verify", question=question, answer=answer)
        if again and found["holds"]:
            found["checks"] += server.post(f"/receipts/{segment(name)}/replay", question=question)["checks"]
        _checked(found["checks"], as_json=as_json)
        return
    data, secret = receipt_bytes(home, name)
    texts = {"question": question, "answer": answer}
    salts = salts_of(secret)
    missing = [label for label, text in texts.items() if text is not None and label not in salts]
    if missing:
        raise UsageError(f"{name}: the salt of its {missing[0]} is not here", hint="name a receipt of this home")
    with home.office() as office:
        keys = office.note_keys()
        audited = audit_ledger(office.store.ledger.leaves(), office.ledger.seal(), keys)
        trust = office.trust(RECEIPTS)
    disclosed = Disclosed({label: (salts[label], text.encode()) for label, text in texts.items() if text is not None})
    verified = verify_receipt(data, trust, ledger=audited, disclosed=disclosed, redecide=redecide)
    checks = list(verified.checks)
    if again and question is not None and verified.holds and verified.body is not None:
        checks.append(_replayed(home, verified.body, question, salts, show=not as_json))
    _checked([{"name": c.name, "held": c.held, "found": c.found} for c in checks], as_json=as_json)


def _checked(checks: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print what was checked; the exit code is 1 where something does not hold."""
    holds = all(check["held"] is not False for check in checks)
    if as_json:
        print_json({"holds": holds, "checks": checks})
    else:
        for check in checks:
            mark = "ok  " if check["held"] else "-   " if check["held"] is None else "BAD "
            print_lines(f"{mark} {check['name']}: {check['found']}")
    if not holds:
        raise typer.Exit(1)


def _replayed(home: Home, body: Any, question: str, salts: dict[str, bytes], *, show: bool) -> Any:
    from rag_edit.trust.travelling import go_back, replay

    with home.engine(show=show) as engine:
        engine.office.ready()
        return replay(go_back(engine, engine.office, body.asked.known_at), body, question, salts.get("answer", b""))


def incident(
    context: typer.Context,
    record: Annotated[str, typer.Argument(metavar="RECORD", help="The id of a record that was wrong.")],
    version: Annotated[int | None, typer.Option("--version", min=1, help="Only answers that rest on this version.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write the receipts there, one file each.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every receipt of an answer that rests on a record: whom a bad record reached, when, and by which version."""
    from rag_edit.provenance.receipt import read_body
    from rag_edit.trust.following import history_of
    from rag_edit.trust.keeping import receipt_of

    found: list[dict[str, Any]] = []
    with home_of(context).office() as office:
        office.ready()
        line = office.book.line(record)
        if line is None:
            office.store.get(record)  # names near ones
        versions: list[dict[str, Any]] = [
            {"version": each.version, "recorded_at": each.recorded_at.isoformat(), "status": str(each.status)}
            for each in history_of(office.store, record)
        ]
        off = office.book.served(record).suspended
        for kept in office.store.receipts.using(record):
            body = read_body(kept.body)
            used = sorted(each.version for each in body.used if each.record == record)
            if version is not None and version not in used:
                continue
            found.append(
                {
                    "receipt": body.id,
                    "issued": body.issued,
                    "route": body.decided.route,
                    "versions": used,
                    "jurisdiction": body.asked.jurisdiction,
                    "flags": list(body.flags),
                }
            )
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                (out / f"{body.id}.receipt").write_bytes(receipt_of(kept).to_bytes())
    if as_json:
        print_json({"record": record, "suspended": str(off) if off else None, "versions": versions, "receipts": found})
        return
    for each in versions:
        print_lines(f"version {each['version']} of {each['recorded_at']}: {each['status']}")
    for each in found:
        shown = ", ".join(map(str, each["versions"]))
        print_lines(f"{each['receipt']}  {each['issued']}  {each['route']:8} version {shown}, asked for {each['jurisdiction']}")
    state = "suspended" if off else f"stop it now: rag-edit suspend {record} --reason TEXT"
    print_lines(f"{len(found)} answers rest on {record}; {state}")


@app.command("export")
def export_receipt(
    context: typer.Context,
    name: ReceiptId,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
) -> None:
    """Write a receipt to a file, for whoever was given the answer, and show the keys that verify it."""
    from rag_edit.trust.receipting import RECEIPTS

    home = home_of(context)
    home.alone("receipt export")
    out.write_bytes(receipt_bytes(home, name)[0])
    with home.office() as office:
        trust = office.trust(RECEIPTS)
    print_lines(f"{out}", *map(str, (*trust.receipts, *trust.ledger)))


def receipt_bytes(home: Home, name: str) -> tuple[bytes, bytes]:
    """Return a receipt as a file, and the salts that are kept beside it (none for a file)."""
    from rag_edit.trust.keeping import receipt_of

    if Path(name).is_file():
        return Path(name).read_bytes(), b""
    if (server := home.server) is not None:
        return server.get(f"/receipts/{segment(name)}")["file"].encode(), b""
    with home.store() as store:
        kept = store.receipts.get(name)
    if kept is None:
        raise UsageError(f"wanted a receipt of this home or a file, found {name!r}", hint="rag-edit receipt list")
    return receipt_of(kept).to_bytes(), kept.secret
