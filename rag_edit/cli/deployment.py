"""`rag-edit deployment`: what the gateway serves, whether its file holds, and what a request would come to."""

from typing import Annotated, Any

import typer

from rag_edit.cli.home import AsJson, AsOf, home_of, parse_date, print_json, print_lines, today
from rag_edit.core.errors import UsageError

app = typer.Typer(help="Deployments that the gateway serves: list, check, explain.", no_args_is_help=True)


@app.command("list")
def list_deployments(context: typer.Context, as_json: AsJson = False) -> None:
    """List the deployments."""
    config = _load(context)
    found = [each.to_json() for each in config.deployments.values()]
    if as_json:
        print_json({"deployments": found})
        return
    for each in found:
        allowed = f", callers may choose {', '.join(each['allowed'])}" if each["allowed"] else ""
        print_lines(f"{each['name']}: {each['mode']} at {each['jurisdiction']}{allowed}, in front of {each['upstream']}")


@app.command()
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Read gateway.toml and say what is wrong with it; exit code 1 when something is."""
    config = _load(context)
    if as_json:
        print_json({"ok": True, "deployments": sorted(config.deployments), "upstreams": sorted(config.upstreams)})
    else:
        print_lines(f"ok: {len(config.deployments)} deployments, {len(config.upstreams)} upstreams")


@app.command()
def explain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The deployment.")],
    model: Annotated[str, typer.Option("--model", help="The model as a request names it, with its suffix.")] = "",
    jurisdiction: Annotated[
        str, typer.Option("-j", "--jurisdiction", metavar="CODE", help="As a header would choose it.")
    ] = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Say where a request would stand: place, chain, day, and what is done with decisions; or why it would be refused."""
    from rag_edit.core.atlas import default_atlas
    from rag_edit.gateway.address import Chosen, choose_day, choose_place, split_model
    from rag_edit.gateway.problems import Refusal

    config, atlas = _load(context), default_atlas()
    if name not in config.deployments:
        raise UsageError(
            f"deployment: wanted one of {', '.join(config.deployments)}, found {name!r}", hint="rag-edit deployment list"
        )
    spec = config.deployments[name]
    parse_date(as_of)
    try:
        day = choose_day(spec, as_of or "", today())
        bare, suffix = split_model(model, atlas)
        place = choose_place(spec, atlas, day, Chosen(header=jurisdiction, suffix=suffix))
    except Refusal as refusal:
        if as_json:
            print_json({"deployment": name, "refused": refusal.document()["error"], "status": refusal.status})
        else:
            print_lines(f"refused ({refusal.status} {refusal.code}): {refusal.message}")
        raise typer.Exit(1) from None
    chain = [str(code) for code in atlas.chain(place, day)]
    if as_json:
        found: dict[str, Any] = {"jurisdiction": place, "chain": chain, "as_of": day.isoformat(), "model": bare}
        print_json({"deployment": spec.to_json(), **found})
        return
    print_lines(
        f"{name}: questions stand in {place} on {day}; records of {', '.join(chain)} may answer",
        f"mode {spec.mode}{f' ({spec.canary_percent:g} %)' if spec.canary_percent else ''}; in front of {spec.upstream}"
        f"{f' as model {bare}' if bare else ''}; cited by {spec.cite}",
    )
    if spec.languages:
        print_lines(f"records in {', '.join(spec.languages)} may answer, and those that state no language")
    if spec.exclude_topics:
        print_lines(f"records on {', '.join(spec.exclude_topics)} never answer")


def _load(context: typer.Context) -> Any:
    from rag_edit.core.atlas import default_atlas
    from rag_edit.gateway.config import load_gateway

    home = home_of(context)
    return load_gateway(home.path, home.settings, default_atlas())
