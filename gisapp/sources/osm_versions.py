"""Files that hold an object more than once, or not in order: of each object the newest version, in order."""

from pathlib import Path

import osmium

from gisapp.errors import InputError

MOST_OBJECTS = 30_000_000  # all versions are in memory while they are sorted: about 100 bytes each


def newest_versions(path: Path, folder: Path, *, objects: int) -> Path:
    """Write the newest version of each object of ``path`` (deleted ones as such) into ``folder``; return the file.

    Of equal versions the first in the file stays. ``objects``: how many the file holds, all versions counted.
    Raises InputError where those are too many to sort.
    """
    if objects > MOST_OBJECTS:
        raise InputError(
            f"{path}: holds {objects:,} versions of objects, more than the {MOST_OBJECTS:,} that can be sorted. "
            "Take out today's objects first (osmium time-filter) or use an ordinary extract."
        )
    newest = folder / "newest.osh.pbf"
    versions = osmium.MergeInputReader()
    versions.add_file(str(path))
    with osmium.SimpleWriter(osmium.io.File(str(newest), "osh.pbf,pbf_compression=none")) as writer:
        versions.apply(writer, simplify=True)
    return newest
