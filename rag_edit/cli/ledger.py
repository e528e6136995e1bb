"""`rag-edit ledger` and `audit`: the signed ledger of every edit, looked at, verified, exported, reported on."""

from pathlib import Path
from typing import Annotated, Any

import typer

from rag_edit.cli.home import AsJson, Reason, home_of, now, parse_time, print_json, print_lines
from rag_edit.core.errors import UsageError

app = typer.Typer(help="The signed ledger of every edit: look, verify, export.", no_args_is_help=True, rich_markup_mode=None)


audit_app = typer.Typer(help="Reports on what was done and by whom.", no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add `audit` to ``parent``."""
    parent.add_typer(audit_app, name="audit")


@app.command("log")
def log(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most this many, the newest.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the ledger's entries, the newest last."""
    from rag_edit.gateway.views import entry_line
    from rag_edit.provenance.keyring import read_entries

    home = home_of(context)
    if (server := home.server) is not None:
        found = server.get("/ledger", limit=min(limit, 1000))
        lines, size = found["entries"], found["size"]
    else:
        with home.office() as office:
            entries, _ = read_entries(office.store.ledger.leaves())
        lines, size = [entry_line(entry) for entry in entries[-limit:]], len(entries)
    if as_json:
        print_json({"size": size, "entries": lines})
    else:
        for each in lines:
            print_lines(f"{each['index']:6} {each['at']:20} {each['kind']:10} {each['about']}")


@app.command("show")
def show_entry(
    context: typer.Context, index: Annotated[int, typer.Argument(metavar="INDEX", help="The entry's number.")]
) -> None:
    """Show what one entry says, who signed it, and the proof that it stands in the ledger. JSON."""
    from rag_edit.provenance.keyring import read_entries
    from rag_edit.trust.entries import plain_statement

    home = home_of(context)
    if (server := home.server) is not None:
        print_json(server.get(f"/ledger/{index}"))
        return
    with home.office() as office:
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


@app.command("verify")
def verify_ledger(
    context: typer.Context,
    old: Annotated[
        list[Path] | None,
        typer.Option("--old", metavar="FILE", help="A checkpoint that you kept, of the ledger or of the receipts; several."),
    ] = None,
    receipts: Annotated[bool, typer.Option("--receipts", help="Also every receipt, and the heads kept of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify every entry, every signed head that was kept, and that every act was permitted when it was done."""
    from rag_edit.trust.holding import hold
    from rag_edit.trust.trusting import receipts_anchor

    home = home_of(context)
    if old or receipts:
        home.alone("ledger verify --old or --receipts")
    if (server := home.server) is not None:
        found = server.post("/audit")
    else:
        notes = [_read(path) for path in old or ()]
        with home.office() as office:
            anchor = receipts_anchor(home.path, home.settings) if receipts else None
            found = hold(office, old=notes, receipts=anchor).to_json()
    if as_json:
        print_json(found)
    else:
        counts = f"{found['entries']} entries, {found['heads']} signed heads, {found['live_records']} live records"
        print_lines(f"ok: {counts}, every act permitted")
        if "receipts" in found:
            print_lines(f"ok: {found['receipts']} receipts, {found['receipt_heads']} signed heads")


@app.command("prove")
def prove(
    context: typer.Context,
    places: Annotated[
        list[str] | None,
        typer.Option("--jurisdiction", "-j", metavar="PLACE", help="Where; several. Else the receipt's chain."),
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Only records of exactly this topic.")] = None,
    record: Annotated[str | None, typer.Option("--record", metavar="ID", help="With --topic: only this record.")] = None,
    receipt: Annotated[str | None, typer.Option("--receipt", metavar="RECEIPT", help="When this answer was given.")] = None,
    known_at: Annotated[
        int | None, typer.Option("--known-at", min=0, metavar="POSITION", help="When the ledger had so many entries; else now.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Also write the proof there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Prove what was live in a jurisdiction, or that nothing was: for whoever has the ledger's keys and nothing else."""
    from rag_edit.cli.receipt import receipt_bytes
    from rag_edit.core.atlas import default_atlas
    from rag_edit.core.digest import canonical_json
    from rag_edit.provenance.claim import check_claim
    from rag_edit.provenance.receipt import read_body, read_receipt
    from rag_edit.trust.proving import prove_live

    if record is not None and topic is None:
        raise UsageError("--record needs the topic that it stands under", hint='--topic TOPIC, "" for none')
    if receipt is not None and known_at is not None:
        raise UsageError("--receipt says when; wanted no --known-at beside it", hint="leave one away")
    home = home_of(context)
    body = read_body(read_receipt(receipt_bytes(home, receipt)[0]).body) if receipt is not None else None
    atlas = default_atlas()
    chosen = [str(atlas.parse(place)) for place in places or (body.decided.chain if body is not None else ())]
    if not chosen:
        raise UsageError("wanted a jurisdiction, found none", hint="-j DE-BY -j DE")
    asked = [tuple(part for part in (place, topic, record) if part is not None) for place in chosen]
    with home.office() as office:
        position, note = (body.asked.known_at, body.ledger) if body is not None else (known_at, "")
        document = prove_live(office, asked, position=position, note=note)
        data = canonical_json(document)
        position, found = check_claim(data, office.note_keys())
    if out is not None:
        out.write_bytes(data + b"\n")
    if as_json:
        print_json(document)
        return
    _claimed(position, found)
    if out is not None:
        print_lines(f"the proof is in {out}")


@app.command("check")
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A proof that `ledger prove --out` wrote.")],
    keys: Annotated[
        Path | None, typer.Option("--keys", metavar="FILE", help="The ledger's keys, one a line; else those of this home.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof of what was live in a jurisdiction; with the keys, no home is needed."""
    from rag_edit.provenance.claim import check_claim
    from rag_edit.provenance.note import read_note_key

    data = _read(file, hint="rag-edit ledger prove -j DE --out FILE").encode()
    if keys is not None:
        trusted = [read_note_key(line) for line in _read(keys).splitlines() if line.strip()]
    else:
        with home_of(context).office() as office:
            trusted = list(office.note_keys())
    position, found = check_claim(data, trusted)
    if as_json:
        about: list[Any] = [
            {"parts": each.parts, "live": None if each.live is None else [live.name for live in each.live]} for each in found
        ]
        print_json({"ok": True, "position": position, "about": about})
    else:
        _claimed(position, found)


@app.command()
def checkpoint(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write them there: a file each, and their keys.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the signed heads of ledger and receipts, to be kept elsewhere, and the keys that sign them."""
    from rag_edit.trust.holding import signed_heads

    home = home_of(context)
    if (server := home.server) is not None:
        found = server.get("/checkpoint")
    else:
        with home.office() as office:
            found = signed_heads(office)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for name, each in (("ledger", found), ("receipts", found["receipts"])):
            if each:
                (out / f"{name}.checkpoint").write_text(each["checkpoint"], "utf-8")
                (out / f"{name}.keys").write_text("".join(f"{key}\n" for key in each["keys"]), "utf-8")
    if as_json:
        print_json(found)
    else:
        for each in (found, found["receipts"]):
            print_lines(*([each["checkpoint"].rstrip("\n"), "", *each["keys"]] if each else []))


@app.command("export")
def export_ledger(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new or empty directory.")],
    receipts: Annotated[
        Path | None, typer.Option("--receipts", metavar="DIR", help="Also write the log of receipts, to another new directory.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the ledger as static files for an auditor (C2SP tlog-tiles)."""
    from rag_edit.provenance.tiles import export_tiles
    from rag_edit.trust.holding import signed_heads

    with home_of(context).office() as office:
        found: Any = signed_heads(office)
        size = export_tiles(out, office.store.ledger.leaves(), found["checkpoint"])
        document = {"entries": size, "directory": str(out), "keys": found["keys"]}
        if receipts is not None:
            if not found["receipts"]:
                raise UsageError("--receipts: this home has none", hint='receipts = "on" in config.toml')
            bodies = (kept.body for kept in office.store.receipts.all())
            count = export_tiles(receipts, bodies, found["receipts"]["checkpoint"])
            document["receipts"] = {"entries": count, "directory": str(receipts), "keys": found["receipts"]["keys"]}
    if as_json:
        print_json(document)
        return
    for each in (document, document.get("receipts")):
        if each:
            print_lines(f"{each['entries']} entries in {each['directory']}; verify them with", *each["keys"])


@app.command("prov")
def export_prov(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="The file to write.")],
    as_json: AsJson = False,
) -> None:
    """Write who did what for whom, and which versions came of it, in the words of W3C PROV (PROV-JSON)."""
    import json

    from rag_edit.trust.auditing import tell
    from rag_edit.trust.prov import provenance
    from rag_edit.trust.trusting import territory

    with home_of(context).office() as office:
        office.ready()
        document = provenance(tell(office.store.ledger.leaves(), territory(), now()))
    out.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    counts = {name: len(table) for name, table in document.items() if name != "prefix"}
    print_json({"file": str(out), **counts}) if as_json else print_lines(f"{out}: {counts}")


@audit_app.command("report")
def audit_report(
    context: typer.Context,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From then, 2026-01-31; else from the first.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until then; else until now.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="OUT.html", help="Write a page for people; a .json beside it.")
    ] = None,
    conditions: Annotated[
        bool, typer.Option("--conditions", help="Also find verifications measured with other parts; opens the encoder.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Report on a period: acts by person and institution, emergencies, waived verifications, overdue reviews, stale verifications, receipts."""
    import json
    from datetime import timedelta

    from rag_edit.checks.gating import policy_of
    from rag_edit.trust.audit_page import page
    from rag_edit.trust.auditing import BEGINNING, report, tell
    from rag_edit.trust.trusting import conditions as conditions_of
    from rag_edit.trust.trusting import territory

    home = home_of(context)
    until = parse_time(end) if end else now().replace(microsecond=0) + timedelta(seconds=1)
    measured = conditions_of(home.path, home.settings, policy_of(home.path).digest) if conditions else ()
    with home.office() as office:
        office.ready()
        told = tell(office.store.ledger.leaves(), territory(), now())
        bodies = (kept.body for kept in office.store.receipts.all())
        found = report(told, bodies, parse_time(start) if start else BEGINNING, until, measured)
    if out is not None:
        out.write_text(page(found), "utf-8")
        out.with_suffix(".json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if as_json:
        print_json(found)
        return
    for who, kinds in {**found["by_institution"], **found["by_person"]}.items():
        print_lines(f"{who}: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}")
    for name in ("emergencies", "waived", "overdue_reviews", "stale_verifications", "suspended", "compromised_keys"):
        print_lines(f"{name.replace('_', ' ')}: {len(found[name])}")
    print_lines(f"receipts: {found['receipts']['total']}", *([f"written to {out}"] if out is not None else []))


@app.command("succeed")
def go_on(context: typer.Context, reason: Reason, as_json: AsJson = False) -> None:
    """Go on from a store that is older than, or contradicts, what was signed: under a new name of the ledger, for all to see."""
    with home_of(context).office(check=False) as office:
        ledger = office.go_on(reason)
    print_json({"name": ledger.origin}) if as_json else print_lines(f"the ledger goes on as {ledger.origin}")


def _claimed(position: int, found: Any) -> None:
    """Say what a proof shows."""
    print_lines(f"when the ledger had {position} entries:")
    for each in found:
        names = sorted(f"{live.name} ({live.topic})" if live.topic else live.name for live in each.live or ())
        said = (
            "some records are live, too many to list; name a topic"
            if each.live is None
            else ", ".join(names) or "nothing is live"
        )
        print_lines(f"{' / '.join(part or '(no topic)' for part in each.parts)}: {said}")


def _read(path: Path, hint: str = "rag-edit ledger checkpoint --out DIR") -> str:
    """Return a text that was kept."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not readable: {error}", hint=hint) from error
