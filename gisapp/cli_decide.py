"""Commands that decide: what a scenario changes, and where the next place would do most."""

from pathlib import Path
from typing import Annotated

import geopandas as gpd
import pandas as pd
import typer

from gisapp.compare import Comparison, compare
from gisapp.outputs import check_project_output
from gisapp.terminal import Progress


def compare_scenario(
    project: Annotated[Path, typer.Argument(help="A project file.")],
    scenario: Annotated[Path, typer.Argument(help="A scenario file (.toml).")],
    out: Annotated[
        Path | None, typer.Option(help="Project file to write (.gpkg), with layers of the differences.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file at --out.")] = False,
) -> None:
    """Score a project before and after a scenario, and say who gains and who loses."""
    from gisapp.change_summary import change_summary
    from gisapp.project import read_project, write_project
    from gisapp.scenario_file import read_scenario, to_toml

    if out is not None:
        check_project_output(out, overwrite=overwrite)
    say = Progress()
    plan = read_scenario(scenario)
    say(f"Reading {project}")
    area, params, _ = read_project(project)
    say("Scoring before and after")
    change = compare(area, plan, params)
    if out is not None:
        say(f"Writing {out}")
        before = change.baseline
        write_project(
            out,
            area,
            before.params,
            before,
            scenario=to_toml(plan),
            extra=layers_of_change(change),
            overwrite=overwrite,
        )
    say.done()
    typer.echo(change_summary(change))


def suggest(
    project: Annotated[Path, typer.Argument(help="A project file.")],
    kind: Annotated[str, typer.Option(help="Kind of place, such as playgrounds: see 'trefpunt layers'.")],
    n: Annotated[int, typer.Option("--n", help="How many new places.")] = 1,
    objective: Annotated[
        str, typer.Option(help="norm, default, access, coverage, p-median, p-center or mixing.")
    ] = "norm",
    candidates: Annotated[
        Path | None, typer.Option(help="Your own candidates: a layer of points or polygons.")
    ] = None,
    within: Annotated[float | None, typer.Option(help="Minutes that coverage asks for.")] = None,
    dimension: Annotated[str | None, typer.Option(help="Residents by what, for mixing.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Project file to write (.gpkg), with layers of sites and rivals.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file at --out.")] = False,
) -> None:
    """Suggest where new places of a kind would do most, each with its effects and reason."""
    from gisapp.change_summary import change_summary
    from gisapp.project import read_project, write_project
    from gisapp.scenario_file import to_toml
    from gisapp.siting import suggest_sites
    from gisapp.sources.files import bounds_of, read_layer

    if out is not None:
        check_project_output(out, overwrite=overwrite)
    say = Progress()
    say(f"Reading {project}")
    area, params, _ = read_project(project)
    own = None
    if candidates is not None:
        shapes, near = ("points", "polygons"), bounds_of(area.streets.nodes)
        own = read_layer(candidates, area.crs, what="candidates", shapes=shapes, near=near).frame
    say("Walking from every candidate")
    sites = suggest_sites(
        area, kind, n, objective=objective, candidates=own, params=params, within_min=within, dimension=dimension
    )  # fmt: skip
    if out is not None:
        say(f"Writing {out}")
        before = sites.change.baseline
        layers = {"sites": sites.table.reset_index(), "site_rivals": sites.shortlist.reset_index()}
        write_project(
            out, area, before.params, before, scenario=to_toml(sites.scenario), extra=layers, overwrite=overwrite
        )  # fmt: skip
    say.done()
    for rank, reason in sites.table["reason"].items():
        typer.echo(f"{rank}. {reason}")
    typer.echo(sites.method)
    typer.echo(change_summary(sites.change))


def layers_of_change(change: Comparison) -> dict[str, pd.DataFrame]:
    """Return the differences as layers (homes and places where they are after the scenario, else before) and tables."""
    before, after = change.baseline.area, change.scenario.area
    assert before is not None
    assert after is not None
    layers: dict[str, pd.DataFrame] = {}
    for name in ("homes", "places"):
        table: pd.DataFrame = getattr(change.difference, name)
        then, now = (area.residents if name == "homes" else area.places for area in (before, after))
        shapes = now.geometry.reindex(table.index)
        shapes = shapes.where(shapes.notna(), then.geometry.reindex(table.index))
        frame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs=before.crs))
        layers[f"difference_{name}"] = frame.reset_index()
    for name in ("city", "exposure", "equity"):
        layers[f"difference_{name}"] = getattr(change.difference, name)
    layers["losers"] = change.losers
    return layers
