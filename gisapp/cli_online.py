"""The commands that go online: `trefpunt fetch`, `trefpunt refresh` and the cache of what was downloaded."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gisapp.errors import InputError
from gisapp.terminal import Progress, check_own_data, parse_groups, tell_own_places

Residents = Annotated[Path | None, typer.Option(help="Census cells or zones with counts per group.")]
GroupSpec = Annotated[str | None, typer.Option(help="Count columns: 'origin=NAT,OTH;age=Y_LT15,Y_GE65'.")]
Places = Annotated[
    list[str] | None, typer.Option(help="Your own places, FILE or FILE:kind; may be given several times.")
]
Zones = Annotated[Path | None, typer.Option(help="Polygons for a table of counts.")]
Key = Annotated[str | None, typer.Option(help="Columns that join them: 'code', or 'sector=code'.")]
Geocode = Annotated[
    bool, typer.Option("--geocode", help="Look up online the addresses of --places without coordinates.")
]
Published = Annotated[str | None, typer.Option(help="Who published these counts.")]
KeepExact = Annotated[bool, typer.Option("--keep-exact", help="Do not protect counts: NOT FOR PUBLICATION.")]
Large = Annotated[bool, typer.Option("--large", help="Download a very large area without asking.")]
OverpassUrl = Annotated[str | None, typer.Option(help="Address of an Overpass server.")]
NominatimUrl = Annotated[str | None, typer.Option(help="Address of a Nominatim server.")]
Proxy = Annotated[str | None, typer.Option(help="Address of a proxy.")]
CaBundle = Annotated[str | None, typer.Option(help="PEM file of the certificate authorities to trust.")]


def fetch(
    place: Annotated[
        str, typer.Argument(help="A name such as 'Mechelen, Belgium', or an id such as R59518.")
    ],
    out: Annotated[Path, typer.Option(help="Project file to write (.gpkg).")],
    kinds: Annotated[
        str | None, typer.Option(help="Kinds of places, as 'cafes,parks'; without it, all.")
    ] = None,
    buffer_min: Annotated[float, typer.Option(help="Minutes' walk around the place to take in.")] = 30.0,
    places: Places = None,
    geocode: Geocode = False,
    residents: Residents = None,
    zones: Zones = None,
    key: Key = None,
    neighbourhoods: Annotated[Path | None, typer.Option(help="Polygons with names.")] = None,
    groups: GroupSpec = None,
    published: Published = None,
    keep_exact: KeepExact = False,
    large: Large = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the servers again, whatever is kept.")] = False,
    overpass_url: OverpassUrl = None,
    nominatim_url: NominatimUrl = None,
    proxy: Proxy = None,
    ca_bundle: CaBundle = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file at --out.")] = False,
) -> None:
    """Download a town from OpenStreetMap into a project file that opens without internet."""
    from gisapp.outputs import check_project_output
    from gisapp.params import Params
    from gisapp.project import write_project
    from gisapp.settings import read_settings

    check_own_data(places=places, geocode=geocode, residents=residents, groups=groups, published=published,
                   keep_exact=keep_exact, zones=zones, key=key)  # fmt: skip
    check_project_output(out, overwrite=overwrite)
    settings = read_settings(
        overpass_url=overpass_url, nominatim_url=nominatim_url, proxy=proxy, ca_bundle=ca_bundle
    )
    say = Progress()
    from gisapp.sources.fetch import fetch_area

    area = fetch_area(
        place, kinds=None if kinds is None else [k.strip() for k in kinds.split(",") if k.strip()],
        buffer_min=buffer_min, places=places or (), geocode=geocode, residents=residents, zones=zones, key=key,
        neighbourhoods=neighbourhoods, groups=None if groups is None else parse_groups(groups),
        published=published, keep_exact=keep_exact, confirm=_confirm(large), fresh=fresh, settings=settings,
        progress=say,
    )  # fmt: skip
    say(f"Writing {out}")
    write_project(out, area, Params(), overwrite=overwrite)
    say.done()
    tell_own_places(area)
    km = area.streets.edges["length_m"].sum() / 1000
    typer.echo(
        f"{area.name}: {km:,.0f} km of streets, {len(area.places):,} places, {len(area.residents):,} homes, "
        f"OpenStreetMap of {area.provenance.data_date or 'unknown date'}. Score it with: trefpunt score --project {out}"
    )
    if area.provenance.counts == "missing":
        typer.echo(area.provenance.counts_note)
    typer.echo(f"Data: {area.provenance.attribution}.")


def refresh(
    project: Annotated[Path, typer.Argument(help="The project file to bring up to date.")],
    osm: Annotated[
        Path | None, typer.Option(help="A newer OpenStreetMap extract, instead of a download.")
    ] = None,
    online: Annotated[
        bool, typer.Option("--online", help="Download, also when --residents is given.")
    ] = False,
    residents: Residents = None,
    zones: Zones = None,
    key: Key = None,
    groups: GroupSpec = None,
    published: Published = None,
    keep_exact: KeepExact = False,
    large: Large = False,
    overpass_url: OverpassUrl = None,
    proxy: Proxy = None,
    ca_bundle: CaBundle = None,
) -> None:
    """Bring newer OpenStreetMap or census data into a project, keep your own places, and say what changed."""
    from gisapp.project import check_output
    from gisapp.settings import read_settings

    check_own_data(residents=residents, groups=groups, published=published, keep_exact=keep_exact, zones=zones,
                   key=key)  # fmt: skip
    if osm is not None and online:
        raise InputError("Give either --osm or --online.")
    if project.exists():
        check_output(project, overwrite=True)
    settings = read_settings(overpass_url=overpass_url, proxy=proxy, ca_bundle=ca_bundle)
    say = Progress()
    from gisapp.refresh import refresh_project

    changes = refresh_project(
        project, osm=osm, online=online, residents=residents, zones=zones, key=key,
        groups=None if groups is None else parse_groups(groups), published=published, keep_exact=keep_exact,
        settings=settings, confirm=_confirm(large), progress=say,
    )  # fmt: skip
    say.done()
    typer.echo("\n".join(changes))


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all that is kept.")] = False,
) -> None:
    """Show how much is kept of what was downloaded, or delete it."""
    from gisapp.resources import cache_dir
    from gisapp.sources.overpass import clear_cache, folder_bytes

    if clear:
        folder, freed = clear_cache()
        typer.echo(f"{folder}: {freed / 1e6:,.1f} MB deleted.")
    else:
        typer.echo(f"{cache_dir()}: {folder_bytes(cache_dir()) / 1e6:,.1f} MB. Delete it with --clear.")


def _confirm(large: bool) -> Callable[[str], bool] | None:
    """Return how to ask: not at all with --large, at a terminal with a question, elsewhere nobody can answer."""
    if large:
        return lambda question: True
    if sys.stdin.isatty() and sys.stderr.isatty():
        return lambda question: typer.confirm(question, err=True)
    return None
