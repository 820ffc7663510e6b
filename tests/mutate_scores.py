"""Break each formula of the scores in turn and see whether the tests notice. Run on demand:

    python tests/mutate_scores.py [--only TEXT ...] [--skip-check]

Works on copies in temporary folders, in child processes (not on Windows). Prints the mutants that survive;
exits 1 if there are any.
"""

import argparse
import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOG = Path(tempfile.gettempdir()) / "trefpunt-mutant.log"  # what the tests said of the last mutant
TESTS = ("test_scores_worked.py", "test_assess_tables.py", "test_scores_oracle.py", "test_scores_peers.py",
         "test_identities.py")  # fmt: skip

HELPERS = ("test_scores_oracle", "plain_town", "plain_score", "random_city")

# file, what stands there (once), what replaces it
MUTANTS = (
    ("decay.py", "np.exp2(-t / c)", "np.exp(-t / c)"),
    ("decay.py", "(t <= c).astype", "(t < c).astype"),
    ("decay.py", "1 - t / c", "1 - t / (2 * c)"),
    ("decay.py", "weight = np.exp(-t / c)", "weight = np.exp(-2 * t / c)"),
    ("decay.py", "(2 * c**2)", "(c**2)"),
    ("decay.py", "(1 + np.exp(-c * slope))", "1"),
    ("decay.py", "np.maximum(0.0, t - c) ** 2", "np.maximum(0.0, t - c)"),
    ("decay.py", "t > horizon_min", "t > 99"),
    ("access.py", "pairs.minutes <= c]", "pairs.minutes < c]"),
    ("access.py", "number > rank", "number > rank + 1"),
    ("access.py", "np.minimum(100.0, 100.0 * total)", "100.0 * total"),
    ("access.py", "choice_weights[rank] * nth_weight[rank]", "choice_weights[0] * nth_weight[rank]"),
    ("access.py", "np.expm1(weights @ np.log1p(scores))", "weights @ scores"),
    ("access.py", "np.argmin(scores[order]", "np.argmax(scores[order]"),
    ("access.py", "np.arange(len(kinds)), -weights", "np.arange(len(kinds)), weights"),
    ("access.py", "several = zero.sum(axis=0) > 1", "several = zero.sum(axis=0) > 2"),
    ("access.py", "np.divide(capacity, demand", "np.divide(capacity, demand + 1"),
    ("access.py", "where=known & (demand > 0)", "where=known & (demand > 1e9)"),
    ("access.py", "ratio(demand, np.where", "ratio(1 + demand, np.where"),
    ("choice.py", "weight / total[home]", "weight / (total[home] + 0.01)"),
    ("choice.py", "minlength=shape[0]) + outside", "minlength=shape[0]) + 0.1"),
    ("choice.py", "value > limit * (1 + TIE)", "value > limit * (1 - TIE)"),
    ("choice.py", "value >= limit * (1 - TIE)", "value >= limit"),
    ("choice.py", "+ size - 1]", "+ size - 2]"),
    ("choice.py", "slots = size -", "slots = size + 1 -"),
    ("choice.py", "value * part[home]", "value"),
    ("choice.py", "1.0 / number[near.origin]", "1.0"),
    ("choice.py", "limit + TIE * np.maximum(1.0, limit)", "limit + 1"),
    ("segregation.py", "(shares * (1.0 - shares))", "(shares * (1.0 - shares) ** 2)"),
    ("segregation.py", "np.log(shares,", "np.log2(shares,"),
    ("segregation.py", "1.0 - 0.5 * np.abs(", "1.0 - np.abs("),
    ("segregation.py", "(1 / environment[lived] - 1 / total)", "(1 / environment[lived])"),
    ("segregation.py", "max(0.0, float((people", "float((people[:0].sum() + people"),
    ("segregation.py", "(groups - 1) * floor", "groups * floor"),
    ("segregation.py", "(len(counts) - 1) *", "len(counts) *"),
    ("segregation.py", "np.abs(np.nan_to_num(composition(counts)) - pooled) * people", "np.abs(pooled) * people"),
    ("segregation.py", "people.sum() * (1 - pooled)", "people.sum() * pooled"),
    ("segregation.py", "people @ apart @ people, 2", "people @ apart @ people, 3"),
    ("segregation.py", "counts.T @ np.nan_to_num(composition(counts))", "counts.T @ counts"),
    ("mixing.py", "shares = own if reference is None", "shares = own if True"),
    ("mixing.py", "present = (core_sum > 0) | (shares > 0)", "present = core_sum >= 0"),
    ("mixing.py", "people if homes.core.all() else people * homes.core[:, None]", "people"),
    ("mixing.py", "size=1, outside=outside", "size=2, outside=outside"),
    ("mixing.py", "base.share**2 / base.goes", "base.share / base.goes"),
    ("mixing.py", "1.0 - ratio(stays, visitors)", "ratio(stays, visitors)"),
    ("mixing.py", "if not alike:", "if False:"),
    ("mixing.py", "value = weight * attraction[pairs.target]", "value = weight * (attraction[pairs.target] > 0)"),
    ("mixing.py", "np.nan_to_num(lift)) ** eta", "np.nan_to_num(lift))"),
    ("mixing.py", "np.where(np.isnan(lift), 1.0,", "np.where(np.isnan(lift), 0.0,"),
    ("mixing.py", "np.divide(choice.goes[:, None], pull", "np.divide(1.0, pull"),
    ("mixing.py", "if stuck.any() else 0.0", "if False else 0.0"),
    ("mixing.py", "core[:, columns] = total[:, -width:]", "core[:, columns] = total[:, :width]"),
    ("mixing.py", "ratio(diversity, town.reference_diversity)[:", "(diversity)[:"),
    ("mixing.py", "town.core[:, columns] * (choice.probability", "(choice.probability"),
    ("mixing.py", "defined * (1 - shares)", "defined * shares"),
    ("mixing.py", "ratio(chance, town.reference_diversity), likeness", "chance, likeness"),
    ("mixing.py", "1.0 - 0.5 * town.by_dimension(np.abs(", "1.0 - town.by_dimension(np.abs("),
    ("run.py", "np.where(mixes & (town.reference_diversity > 0), 0.0, np.nan)", "0.0"),
    ("mixing.py", "own_street = town.people *", "own_street = town.core *"),
    ("mixing.py", "town.core[near.origin, column] * share", "town.core[near.origin, column]"),
    ("city.py", "(town.by_dimension(town.core - goers) * street)", "(town.by_dimension(town.core) * street)"),
    ("city.py", "(town.by_dimension(near_goers) * street)", "(town.by_dimension(goers) * street)"),
    ("city.py", "islands(sums.home_diversity, visits", "islands(sums.home_diversity, people"),
    ("city.py", '"q": ratio(sums.diversity, possible)', '"q": ratio(sums.diversity, visits)'),
    ("city.py", "ratio(visits, people)", "ratio(visits, visits)"),
    ("city.py", "ratio(of_visits, town.reference_diversity)", "of_visits"),
    ("city.py", "islands(sums.diversity + sums.stay_diversity, people", "islands(sums.diversity, people"),
    ("city.py", "ratio(sums.minutes, visits)", "ratio(sums.minutes, people)"),
    ("city.py", "ratio(sums.at_nearest, visits)", "ratio(sums.at_nearest, people)"),
    ("city.py", "clusters * cluster_reference", "clusters * town.reference_diversity"),
    ("city.py", "town.by_dimension(town.core.sum(axis=0)) - clusters", "clusters"),
    ("city.py", "goers.T @ town.shares_at_home", "town.core.T @ town.shares_at_home"),
    ("city.py", "core.T @ np.nan_to_num(town.shares(core))", "core.T @ np.nan_to_num(town.shares(mixing.runs[0].all))"),
    ("city.py", "* entropy(shares)).sum(), total, e)", "* entropy(shares)).sum(), total, 1.0)"),
    ("combine.py", "share * len(reach) - 1e-9)) - 1", "share * len(reach) - 1e-9))"),
    ("combine.py", "np.minimum(mix, representativeness)", "mix"),
    ("combine.py", "100.0 * np.sqrt(", "100.0 * ("),
    ("combine.py", "np.minimum(1.0, reach / reach_full)", "(reach / reach_full)"),
    ("combine.py", "(mix >= least_mix - TIE)", "(mix > -1)"),
    ("combine.py", "(representativeness >= least_likeness - TIE)", "(representativeness > -1)"),
    ("combine.py", "(visitors >= least_visitors - TIE)", "(visitors > least_visitors)"),
    ("equity.py", "known.max() - known.min()", "known.max()"),
    ("equity.py", "(up[1:] + up[:-1])", "(2 * up[1:])"),
    ("equity.py", "np.cumsum(weight) - weight / 2", "np.cumsum(weight)"),
    ("equity.py", "2 * covariance / mean", "covariance / mean"),
    ("equity.py", "4 * mean /", "2 * mean /"),
    ("equity.py", "mean(0.9, 1.0)", "mean(0.8, 1.0)"),
    ("settings.py", "raw / raw.sum()", "raw"),
    ("settings.py", "DEFAULT_NORM_MIN = 10.0", "DEFAULT_NORM_MIN = 9.0"),
    ("settings.py", "NEAR_MIN = 10.0", "NEAR_MIN = 9.0"),
    ("settings.py", "((n_mixing > 0) | (n_places == 0))", "(n_mixing > 0)"),
    ("settings.py", "mixes[row, at] = False", "mixes[row, at] = True"),
    ("settings.py", "weights / weights.sum(axis=0)", "weights"),
    ("run.py", "homes.total[pairs.origin] * weight", "weight"),
    ("run.py", "keep = open_places[pairs.target]", "keep = open_places[pairs.target] | True"),
    ("run.py", "(1.0,) if enough else params.choice_weights", "params.choice_weights"),
    ("run.py", "pairs = split.pairs.within(params.horizon_min)", "pairs = split.pairs"),
    ("run.py", "if places.has_parts:", "if False:"),
    ("run.py", "near = pairs.within(NEAR_MIN)", "near = pairs"),
    ("tables.py", "(raw.nth_min[0] <= settings.norm_min[at])", "(raw.nth_min[0] < settings.norm_min[at])"),
    ("tables.py", "raw.nth_min[2]", "raw.nth_min[1]"),
    ("tables.py", "weights = settings.weights * settings.chosen", "weights = settings.weights"),
    ("tables.py", "mix[0] - inherited[0]", "mix[0] + inherited[0]"),
    ("tables.py", "mix[2] - inherited[2]", "mix[2] - inherited[0]"),
    ("tables.py", "each.weighted(weight, town)", "each"),
    ("tables.py", "AT_ONE = 2", "AT_ONE = 1"),
    ("tables.py", "1.0 - town.shares_at_home[:, column]", "town.shares_at_home[:, column]"),
    ("tables.py", "np.where(homes.core, 0.0, np.nan)", "0.0"),
    ("tables.py", "people = town.core[:, column]", "people = town.people[:, column]"),
    ("tables.py", "people = homes.total * homes.core", "people = homes.total"),
    ("tables.py", "walker = by_profile.get(profiles.get(", "walker = {}.get(profiles.get("),
    ("catchment.py", "asks = gives = share * weight", "asks = gives = share"),
    ("catchment.py", "share, np.divide(weight, of_place", "share, np.divide(weight, of_home"),
    ("catchment.py", "demand[pairs.origin] * asks", "demand[pairs.origin] * weight"),
    ("arrays.py", "np.minimum.reduceat(minutes, first)", "np.maximum.reduceat(minutes, first)"),
    ("sensitivity.py", "pairs.minutes / drawn.speed", "pairs.minutes * 9"),
    ("sensitivity.py", "(0.05, 0.5, 0.95)", "(0.05, 0.95, 0.5)"),
    ("../encode.py", 'CHOICE_OPEN_TO = ("all", "customers")', 'CHOICE_OPEN_TO = ("all",)'),
    ("../encode.py", "np.max(list(sums.values())", "np.min(list(sums.values())"),
    ("../encode.py", "np.where(np.isnan(values), alpha, values)", "np.nan_to_num(values)"),
    ("../encode.py", "homes.counts + neighbours @ homes.counts", "neighbours @ homes.counts"),
    ("../encode.py", "others = origin != target", "others = origin >= 0"),
    ("../assess.py", "places.core & (places.kind >= 0)", "places.kind >= 0"),
)  # fmt: skip


def survives(file: str, old: str, new: str) -> bool | None:
    """Return whether the tests pass on the broken copy, or None if the text to break is not there."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("gisapp", "tests", "layers"):
            shutil.copytree(ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        target = Path(folder) / "gisapp" / "scores" / file
        text = target.read_text()
        if old not in text:
            return None
        target.write_text(text.replace(old, new, 1))
        child = os.fork()  # the libraries are loaded already, the package is not
        if child == 0:
            os._exit(_run_tests(folder))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _towns_agree() -> bool:
    """Return whether a few towns equal the oracle: most mutants fall here, in a fraction of the tests' time."""
    oracle = importlib.import_module("test_scores_oracle")
    try:
        for seed in range(20):
            oracle.check(oracle.random_city(seed))
    except Exception:  # whatever breaks counts
        return False
    finally:
        for name in [
            m for m in sys.modules if m.split(".")[0] in (*HELPERS, "hypothesis", "_hypothesis_globals")
        ]:
            del sys.modules[name]  # pytest loads them again in its own way
    return True


def _run_tests(folder: str) -> int:
    os.chdir(folder)
    sys.path[:0] = [folder, f"{folder}/tests"]
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = f"{folder}/hypothesis"
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if not _towns_agree():
        return 1
    options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-o", "addopts="]
    return int(pytest.main([*options, *(f"tests/{name}" for name in TESTS)]))


def main() -> int:
    """Try every mutant and report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", help="only mutants whose file or text holds one of these")
    parser.add_argument(
        "--skip-check", action="store_true", help="do not run the tests on the unbroken copy first"
    )
    options = parser.parse_args()
    for library in (
        "geopandas",
        "scipy.sparse",
        "segregation",
        "access.fca",
        "inequality.gini",
    ):
        importlib.import_module(library)
    if not options.skip_check and not survives("decay.py", "import numpy", "import numpy"):
        print(LOG.read_text()[-3000:], "The tests fail on the unbroken copy; mend that first.", sep="\n")
        return 1
    chosen = [
        m for m in MUTANTS if not options.only or any(text in part for text in options.only for part in m)
    ]
    alive, stale = [], []
    for mutant in chosen:
        result = survives(*mutant)
        if result is None:
            stale.append(mutant)
        elif result:
            alive.append(mutant)
        print(
            "stale" if result is None else "SURVIVES" if result else "killed", *mutant, sep=" | ", flush=True
        )
    print(f"{len(chosen)} mutants, {len(alive)} survive, {len(stale)} stale")
    return 1 if alive or stale else 0


if __name__ == "__main__":
    sys.exit(main())
