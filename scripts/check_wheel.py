"""Compare a wheel with the tree it was built from: python scripts/check_wheel.py dist/trefpunt-*.whl

Every file of gisapp/, layers/ and data/ must be in it, and nothing else but its own metadata. An ignored
folder or a wrong pattern makes a wheel without data, and the build says nothing of it: this does.
"""

import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"gisapp": "gisapp", "layers": "gisapp/layers", "data": "gisapp/data"}
# Named, because the comparison is blind to what is gone from the tree as well.
NEEDED = (
    "gisapp/cli.py",
    "gisapp/py.typed",
    "gisapp/data/monaco/LICENCE.md",
    "gisapp/data/monaco/PROVENANCE.toml",
    "gisapp/layers/libraries.toml",
    "gisapp/layers/playgrounds.toml",
)
# The code and one small town: more than that is a file that strayed in.
LARGEST_BYTES = 5_000_000


def expected_files(root: Path) -> set[str]:
    """Return the names that a wheel of the tree at ``root`` has, without its metadata."""
    return {
        f"{inside}/{path.relative_to(root / folder).as_posix()}"
        for folder, inside in FOLDERS.items()
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def find_faults(wheel: Path, root: Path) -> list[str]:
    """Return one line for each file too few or too many in ``wheel``."""
    with ZipFile(wheel) as archive:
        names = {info.filename for info in archive.infolist() if not info.is_dir()}
    metadata = {name for name in names if name.partition("/")[0].endswith(".dist-info")}
    expected = expected_files(root)
    faults = [f"missing: {name}" for name in sorted(expected - names)]
    faults += [f"not in the tree: {name}" for name in sorted(names - metadata - expected)]
    faults += [f"needed: {name}" for name in NEEDED if name not in names]
    if not any(name.endswith("/licenses/LICENSE") for name in metadata):
        faults.append("needed: the licence text, in the metadata")
    if (size := wheel.stat().st_size) > LARGEST_BYTES:
        faults.append(f"too large: {size} bytes, at most {LARGEST_BYTES}")
    return faults


def main(arguments: list[str]) -> int:
    """Check the wheels named on the command line."""
    if not arguments:
        print("usage: check_wheel.py WHEEL ...", file=sys.stderr)
        return 2
    failed = 0
    for wheel in map(Path, arguments):
        faults = find_faults(wheel, ROOT)
        print("\n".join([f"{wheel.name}: {len(faults)} faults", *faults]))
        failed += len(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
