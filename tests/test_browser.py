"""The app and a saved map in a real browser: drawn offline, repainted in place, safe from hostile names."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from toy_town import toy_assessment

from gisapp.maps import score_map

TESTS = Path(__file__).parent
LAUNCH = "from gisapp.ui.launch import launch; launch(port={port}, browser=False)"
DEADLINE_MS = 60_000
# Pixels of the squares' canvas that are drawn, and how many different colours they have.
COLOURS = """() => {
  const seen = new Map();
  for (const canvas of document.querySelectorAll('.trefpunt-cells-pane canvas')) {
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) {
      const colour = data[i] + ',' + data[i + 1] + ',' + data[i + 2];
      seen.set(colour, (seen.get(colour) || 0) + 1);
    }
  }
  return Object.fromEntries([...seen].filter(([, n]) => n > 20));
}"""
# Where the first square, or a place, lies in the map's frame.
SQUARE = """() => {
  const own = window.map.trefpunt, box = L.latLngBounds(own.cells[0][0][0]);
  return window.map.latLngToContainerPoint(box.getCenter());
}"""
PLACE = """(_, i) => {
  const m = window.map.trefpunt.scene.marks;
  return window.map.latLngToContainerPoint([m.lat[i], m.lng[i]]);
}"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Return a running Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


class Watched:
    """A page whose requests and faults are written down."""

    def __init__(self, browser: Browser) -> None:
        self.page: Page = browser.new_page(viewport={"width": 1280, "height": 720})
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda line: line.type == "error" and self.faults.append(line.text))

    def check(self) -> None:
        """Assert that nothing left this machine and that no script failed."""
        hosts = {urlparse(url).hostname for url in self.requests if not url.startswith(("data:", "blob:"))}
        assert hosts <= {"127.0.0.1", None}, sorted(map(str, hosts))
        assert self.faults == []


@contextmanager
def served(command: list[str], port: int) -> Iterator[str]:
    """Run a server until it answers; yield its address; stop it."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(TESTS.parent), os.environ.get("PYTHONPATH", "")]),
    }
    with subprocess.Popen(command, env=environment, cwd=TESTS.parent, stdout=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            for _ in range(600):
                assert process.poll() is None, "the app ended before it answered"
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield address
        finally:
            process.terminate()


def fits(page: Page) -> bool:
    """Say whether headline and legend are as wide as their boxes at most: no word is cut off."""
    return bool(
        page.evaluate(
            "() => [...document.querySelectorAll('.tp-figure, .tp-figure *, .tp-legend, .tp-legend *, .tp-title')]"
            ".every(e => e.scrollWidth <= e.clientWidth + 1 || getComputedStyle(e).display === 'inline')"
        )
    )


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_sample_opens_on_a_coloured_map_and_repaints_in_place(browser: Browser) -> None:
    """The real app on the real sample: above the fold, offline, no remount, a click is answered."""
    port = free_port()
    watched = Watched(browser)
    page = watched.page
    with served([sys.executable, "-c", LAUNCH.format(port=port)], port) as address:
        page.goto(address)
        frame = page.frame_locator('iframe[title^="streamlit_folium"]')
        inside = frame.locator("#map_div")
        expect(inside).to_have_attribute("data-view", "access:residence", timeout=DEADLINE_MS)
        assert len(inside.evaluate(COLOURS)) >= 2
        assert int(inside.get_attribute("data-cells") or 0) > 50

        box = page.locator("iframe").first.bounding_box()
        assert box is not None
        assert box["y"] <= 300
        assert 720 - box["y"] >= 0.8 * box["height"]
        expect(page.get_by_text("can walk to a mixed place")).to_be_visible()
        expect(page.get_by_text("Residents are invented").first).to_be_visible()

        inside.evaluate("() => { window.untouched = true; }")
        before = inside.evaluate(COLOURS)
        page.get_by_role("combobox", name="What the map shows").click()
        page.get_by_role("option", name="Mixed place within 10 min", exact=True).click()
        expect(inside).to_have_attribute("data-view", "mixed_place:residence", timeout=DEADLINE_MS)
        after = inside.evaluate(COLOURS)
        assert after != before
        assert 0.9 < sum(after.values()) / sum(before.values()) < 1.1  # every square is still drawn

        inside.evaluate("() => { window.map.setZoom(16.5, { animate: false }); }")
        page.get_by_role("combobox", name="Groups compared").click()
        page.get_by_role("option", name="Age").click()
        expect(inside).to_have_attribute("data-view", "mixed_place:age", timeout=DEADLINE_MS)
        assert inside.evaluate("() => [window.untouched, window.map.getZoom()]") == [True, 16.5]

        inside.evaluate(
            "() => { window.map.fitBounds(window.map.trefpunt.scene.bounds, { animate: false }); }"
        )
        inside.click(position=inside.evaluate(SQUARE))
        expect(page.get_by_text("live in this square").first).to_be_visible(timeout=DEADLINE_MS)
        for part in ("What holds it back", "What would help most", "What it does not claim"):
            expect(page.get_by_role("heading", name=part)).to_be_visible()

        inside.evaluate("() => { window.map.setZoom(15.5, { animate: false }); }")
        for language, headline, square in (
            ("NL", "kan te voet naar een gemengde plek", "In dit vak won"),
            ("FR", "peuvent aller à pied à un lieu mixte", "dans ce carré"),
        ):
            page.locator(".st-key-language button", has_text=language).click()
            expect(inside).to_have_attribute("data-language", language.lower(), timeout=DEADLINE_MS)
            expect(page.get_by_text(headline)).to_be_visible()
            expect(page.get_by_text(square).first).to_be_visible()
            assert page.url.endswith(f"?lang={language.lower()}")
            assert inside.get_attribute("data-view") == "mixed_place:age"
            assert fits(page)
        assert inside.evaluate("() => [window.untouched, window.map.getZoom()]") == [True, 15.5]
    watched.check()


def test_hostile_names_are_only_names(browser: Browser) -> None:
    """A place and a neighbourhood that are scripts are drawn, hovered, clicked, listed; nothing runs."""
    port = free_port()
    watched = Watched(browser)
    page = watched.page
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(TESTS / "toy_app.py"),
        "--server.port",
        str(port),
    ]
    with served([*command, "--server.address", "127.0.0.1", "--server.headless", "true"], port) as address:
        page.goto(address)
        frame = page.frame_locator('iframe[title^="streamlit_folium"]')
        inside = frame.locator("#map_div")
        expect(inside).to_have_attribute("data-view", "access:age", timeout=DEADLINE_MS)
        spot = inside.evaluate(PLACE, 1)
        inside.hover(position=spot)
        expect(frame.locator(".trefpunt-tip b")).to_contain_text("<img src=x")
        inside.click(position=spot)
        expect(page.get_by_text("window.hacked=1").first).to_be_visible(timeout=DEADLINE_MS)
        page.get_by_text("Show the map as a table").click()
        page.wait_for_timeout(500)
        assert page.evaluate("() => window.hacked") is None
        assert inside.evaluate("() => window.hacked") is None
    watched.check()


def test_a_saved_map_is_whole_in_one_file(browser: Browser, tmp_path: Path) -> None:
    """Opened from disk it is drawn and coloured, asks for nothing else, and runs no name."""
    target = tmp_path / "score.html"
    score_map(toy_assessment(), "walk:libraries").save(str(target))
    watched = Watched(browser)
    watched.page.goto(target.as_uri())
    drawn = watched.page.locator(".folium-map")
    expect(drawn).to_have_attribute("data-view", "walk:libraries:age", timeout=DEADLINE_MS)
    assert len(drawn.evaluate(COLOURS)) >= 2
    expect(watched.page.get_by_text("none within 30 min")).to_be_visible()
    assert watched.page.evaluate("() => window.hacked") is None
    assert watched.requests == [target.as_uri()]
    assert watched.faults == []
