"""What a stranger installs: pinned requirements, a complete wheel, and a README whose examples work."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PLATFORMS = ("linux", "darwin", "win32")


def machine(python: str, platform: str) -> dict[str, str]:
    """Return what markers ask of a machine; Macs are the old ones, with Intel processors."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": platform,
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }


def read_pins(name: str, python: str, platform: str) -> dict[str, tuple[str, int]]:
    """Return version and number of hashes of each package that a requirements file installs there."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    environment, pins = machine(python, platform), {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        requirement = Requirement(line.partition(" --hash")[0].strip())
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            assert requirement.name not in pins
            pins[requirement.name] = (
                specifier.version,
                len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)),
            )
    return pins


def wanted(group: str) -> list[Requirement]:
    """Return what pyproject.toml asks for, with one of its dependency groups."""
    lines = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["build"]]
    lines += [line for line in PROJECT["dependency-groups"][group] if isinstance(line, str)]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_requirements_hold_what_the_project_asks_for(python: str, platform: str) -> None:
    """On each Python and system, dependencies are pinned within their limits, and every pin has hashes."""
    app, test = (read_pins(name, python, platform) for name in ("app.txt", "test.txt"))
    for pins, group in ((app, "build"), (test, "test")):
        for requirement in wanted(group):
            if requirement.marker is not None and not requirement.marker.evaluate(machine(python, platform)):
                continue
            version, _ = pins[requirement.name.lower()]
            assert requirement.specifier.contains(version), f"{requirement}: {version} is pinned"
        assert [name for name, (_, hashes) in pins.items() if not hashes] == []
    assert app.items() <= test.items(), "one environment serves app and tests only if both agree"


@pytest.mark.parametrize("name", ["app.txt", "test.txt"])
def test_requirements_name_no_address(name: str) -> None:
    """Packages come from whatever index the reader uses: no address, index or folder stands in the file."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert re.findall(r"\S*(?:://|--index|--extra-index|--find-links|--trusted-host)\S*", text) == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, as CI does."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def check_wheel(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "check_wheel.py"), str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def test_wheel_is_complete(wheel: Path) -> None:
    """The wheel has every file of the package, the layers and the sample, and nothing else."""
    done = check_wheel(wheel)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("gisapp/layers/libraries.toml", "missing: gisapp/layers/libraries.toml"),
        ("+gisapp/data/monaco/scores.parquet", "not in the tree: gisapp/data/monaco/scores.parquet"),
        ("+tests/conftest.py", "not in the tree: tests/conftest.py"),
    ],
)
def test_a_wrong_wheel_is_refused(wheel: Path, tmp_path: Path, change: str, fault: str) -> None:
    """A file left out and a file too many are both found."""
    wrong = tmp_path / wheel.name
    with ZipFile(wheel) as whole, ZipFile(wrong, "w") as archive:
        for info in whole.infolist():
            if info.filename != change:
                archive.writestr(info, whole.read(info))
        if change.startswith("+"):
            archive.writestr(change.removeprefix("+"), "")
    done = check_wheel(wrong)
    assert done.returncode == 1
    assert fault in done.stdout.splitlines()


def fenced(language: str) -> list[str]:
    """Return the README's code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def test_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader can paste the README's Python."""
    monkeypatch.chdir(tmp_path)
    blocks = fenced("python")
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert [path.name for path in tmp_path.iterdir()] == ["score.html"]


def commands_in_readme() -> list[list[str]]:
    """Return each ``trefpunt`` command line of the README, as words."""
    text = "\n".join(fenced("sh")).replace("\\\n", " ")
    return [
        shlex.split(line, comments=True)[1:] for line in text.splitlines() if line.startswith("trefpunt ")
    ]


@pytest.mark.parametrize("words", commands_in_readme(), ids=" ".join)
def test_commands_in_the_readme_exist(words: list[str]) -> None:
    """Each command and option that the README shows is one that the program knows."""
    command = [word for word in words[:1] if not word.startswith("-")]
    done = subprocess.run(
        [sys.executable, "-c", "from gisapp.cli import main; main()", *command, "--help"],
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]]),
        },
    )
    assert done.returncode == 0, done.stderr
    assert [word for word in words if word.startswith("--") and word not in done.stdout] == []


def test_links_in_the_readme_lead_somewhere() -> None:
    """Each file that the README links to or shows is there."""
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
