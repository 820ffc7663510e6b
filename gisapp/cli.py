"""The command `trefpunt`: the app's jobs from a terminal. Exit codes: 0 done, 2 wrong input, 1 a fault of ours."""

import logging
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gisapp import __version__
from gisapp.cli_decide import compare_scenario, suggest
from gisapp.cli_online import Geocode, Key, Places, Zones, cache, fetch, refresh
from gisapp.errors import InputError, TrefpuntError
from gisapp.resources import cache_dir
from gisapp.terminal import Progress, check_own_data, parse_groups, tell_own_places

if TYPE_CHECKING:
    from gisapp.area import StudyArea

# The base of all faults of a command line, in whichever Click Typer brings with it.
_USAGE_FAULT: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")
_STOPPED = 130  # the shell's code for Ctrl-C

app = typer.Typer(
    help="Where neighbours of different backgrounds can meet, and what would make it happen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def main() -> None:
    """Run the command and turn every fault into one message and an exit code."""
    # A name from a map may hold letters that a terminal's own encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = app(None if sys.argv[1:] else ["--help"], standalone_mode=False)
    except TrefpuntError as fault:
        _stop(str(fault), 2)
    except typer.Exit as stop:
        raise SystemExit(stop.exit_code) from None
    except _USAGE_FAULT as fault:
        _stop(f"{fault.format_message()} See 'trefpunt --help'.", 2)
    except (KeyboardInterrupt, typer.Abort):
        _stop("Stopped; nothing was written.", _STOPPED)
    except Exception as fault:
        _stop(
            f"This is a fault of ours ({type(fault).__name__}): please report it with the file {_log()}.", 1
        )
    if code == _STOPPED:
        _stop("Stopped; nothing was written.", _STOPPED)
    raise SystemExit(code if isinstance(code, int) else 0)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        typer.echo(f"trefpunt {__version__}")
        raise typer.Exit


@app.command("app")
def open_app(
    project: Annotated[Path | None, typer.Option(help="A project file; without it, the sample town.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 8501,
    address: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's are at your risk.")
    ] = "127.0.0.1",  # noqa: E501
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Open the app in the browser, for this machine only unless --address says otherwise."""
    from gisapp.ui.launch import launch

    if project is not None:
        from gisapp.project import read_project

        read_project(project)
    typer.echo(f"Trefpunt: http://{address}:{port} (Ctrl+C ends it)")
    launch(project=None if project is None else str(project), port=port, address=address, browser=browser)


@app.command()
def score(
    sample: Annotated[str | None, typer.Option(help="A bundled town: monaco.")] = None,
    project: Annotated[Path | None, typer.Option(help="A project file: score its inputs again.")] = None,
    osm: Annotated[Path | None, typer.Option(help="An OpenStreetMap extract (.osm.pbf, .osm).")] = None,
    streets: Annotated[
        Path | None, typer.Option(help="Your own walk network: a line layer, or a GraphML of OSMnx.")
    ] = None,
    places: Places = None,
    geocode: Geocode = False,
    residents: Annotated[
        Path | None, typer.Option(help="Census cells, zones, addresses or a table with counts per group.")
    ] = None,
    zones: Zones = None,
    key: Key = None,
    boundary: Annotated[Path | None, typer.Option(help="The outline of the municipality.")] = None,
    neighbourhoods: Annotated[Path | None, typer.Option(help="Polygons with names.")] = None,
    groups: Annotated[
        str | None, typer.Option(help="Count columns: 'total=T;origin=NAT,OTH;age=Y_LT15,Y_GE65'.")
    ] = None,
    published: Annotated[str | None, typer.Option(help="Who published these counts.")] = None,
    keep_exact: Annotated[
        bool, typer.Option("--keep-exact", help="Do not protect counts: NOT FOR PUBLICATION.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Project file to write (.gpkg).")] = None,
    raw_out: Annotated[Path | None, typer.Option(help="Folder for the audit tables.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file at --out.")] = False,
) -> None:
    """Score a town and write a project file; print its headline."""
    from gisapp.outputs import check_project_output

    if out is not None:
        check_project_output(out, overwrite=overwrite)
    if raw_out is not None:
        from gisapp.audit import check_raw_folder

        check_raw_folder(raw_out)
    say = Progress()
    from gisapp.params import Params

    params, scenario = Params(), None
    given = [name for name, value in (("--sample", sample), ("--project", project), ("--osm", osm)) if value]
    if streets and not osm:
        given.append("--streets")
    if len(given) != 1:
        raise InputError(
            "Give one of --sample, --project or --osm" + (f", not {' and '.join(given)}." if given else ".")
        )
    files = {
        "streets": streets, "places": places, "geocode": geocode, "residents": residents, "zones": zones, "key": key,
        "boundary": boundary, "neighbourhoods": neighbourhoods, "groups": groups, "published": published,
        "keep_exact": keep_exact,
    }  # fmt: skip
    if (sample or project) and any(files.values()):
        flags = [f"--{name.replace('_', '-')}" for name, value in files.items() if value]
        raise InputError(f"{' and '.join(flags)} go with --osm.")
    check_own_data(**files)
    if sample:
        from gisapp.sources.sample import load_sample

        area = load_sample(sample)
    elif project:
        from gisapp.project import read_project

        say(f"Reading {project}")
        area, params, scenario = read_project(project)
    else:
        area = _area_from_files(osm, files, say)
    from gisapp.assess_area import assess

    say("Walking from every place and scoring")
    result = assess(area, params)
    with ExitStack() as files_made:
        if raw_out is not None:
            from gisapp.audit import raw_tables

            say(f"Writing raw tables to {raw_out}")
            said = files_made.enter_context(raw_tables(result, raw_out))
        if out is not None:
            from gisapp.project import write_project

            say(f"Writing {out}")
            write_project(out, area, result.params, result, scenario=scenario, overwrite=overwrite)
    say.done()
    from gisapp.summary import summary

    lines = summary(result)
    if raw_out is not None and said not in lines.splitlines():
        typer.echo(said)
    typer.echo(lines)


app.command("compare")(compare_scenario)
app.command("site")(suggest)
app.command()(fetch)
app.command()(refresh)
app.command()(cache)


@app.command()
def layers(
    check: Annotated[Path | None, typer.Option(help="Validate the layer files of a folder.")] = None,
) -> None:
    """List the kinds of meeting places, or check a folder of your own layer files."""
    from gisapp.catalogue import load_catalogue

    for spec in load_catalogue(check):
        users = f", for {', '.join(spec.users)}" if spec.users else ""
        typer.echo(
            f"{spec.key:<20} {spec.title['en']} (open to {spec.open_to}, norm {spec.norm_min:g} min{users})"
        )


@app.command()
def doctor(
    online: Annotated[bool, typer.Option(help="Try whether map servers can be reached.")] = True,
) -> None:
    """Show versions, folders, assets and whether the network can be reached: what a help desk asks first."""
    from gisapp.doctor import examine

    checks = list(examine(online=online))
    for check in checks:
        typer.echo(f"{'ok ' if check.ok else 'BAD'}  {check.what}: {check.found}")
    if not all(check.ok for check in checks):
        raise typer.Exit(2)


def _area_from_files(osm: Path | None, files: dict[str, Any], say: Progress) -> "StudyArea":
    from gisapp.sources.read import read_area

    files = {**files, "places": files["places"] or ()}
    if files["groups"] is not None:
        files["groups"] = parse_groups(files["groups"])
    area = read_area(osm=osm, **files, progress=say)
    tell_own_places(area)
    return area


def _stop(message: str, code: int) -> None:
    print(f"trefpunt: {message}", file=sys.stderr)  # noqa: T201
    raise SystemExit(code)


def _log() -> Path:
    try:
        path = cache_dir() / "fault.log"
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="trefpunt-")) / "fault.log"
    handler = logging.FileHandler(path, encoding="utf-8")
    log = logging.getLogger("gisapp.cli")
    log.addHandler(handler)
    log.propagate = False
    log.exception("trefpunt %s on Python %s: %s", __version__, sys.version.split()[0], sys.argv[1:])
    handler.close()
    return path


if __name__ == "__main__":
    main()
