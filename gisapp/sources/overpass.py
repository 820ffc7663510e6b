"""Going online for OpenStreetMap data: OSMnx, kept on a lead.

OSMnx asks, we look at each answer before it does: late, refused, cut short or with a remark becomes one sentence.
Its settings are ours for the time of a call only. Answers are kept in the user's cache folder, one folder a question.
"""

import hashlib
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from gisapp.errors import OfflineError, OutputError
from gisapp.resources import cache_dir
from gisapp.settings import OnlineSettings
from gisapp.sources.inspector import KEPT, Inspector
from gisapp.sources.osm import WAY_TAGS

REACH_S = 2.0  # a server that takes no connection in this time is taken as out of reach
STATUS_S = 5.0
_FILES = "Or work from a file: 'trefpunt score --osm FILE.osm.pbf'."
_DONE = "done"
_one_at_a_time = threading.Lock()  # OSMnx's settings are global


class Answers:
    """A folder with the answers to one question: OSMnx fills it, and reads from it what is there already.

    The folder is forgotten after ``cache_days``; ``fresh`` asks again, and keeps the old answers until all new ones
    are there.
    """

    def __init__(self, question: object, settings: OnlineSettings, *, fresh: bool = False) -> None:
        digest = hashlib.sha256(json.dumps(question, sort_keys=True, default=str).encode()).hexdigest()[:24]
        self.kept = cache_dir("overpass") / digest
        self.folder = self.kept.with_suffix(".new") if fresh else self.kept
        if fresh or _age_days(self.folder) > settings.cache_days:
            shutil.rmtree(self.folder, ignore_errors=True)
        for path in self.folder.glob("*.json"):
            if not _looks_whole(path.read_bytes()):  # a run was stopped while it was written
                path.unlink()

    @property
    def complete(self) -> bool:
        """Whether all answers are here, so that no server is needed."""
        return (self.folder / _DONE).is_file()

    def finish(self) -> None:
        """Mark the answers as complete; fresh ones take the place of the old."""
        (self.folder / _DONE).touch()
        if self.folder != self.kept:
            shutil.rmtree(self.kept, ignore_errors=True)
            self.folder.rename(self.kept)
            self.folder = self.kept

    def forget(self) -> None:
        """Delete the answers: asked again, the server may know better."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(self) -> Iterator[Any]:
        """Yield each answer."""
        for path in sorted(self.folder.glob("*.json")):
            yield json.loads(path.read_text(encoding="utf-8"))


@contextmanager
def online(settings: OnlineSettings, answers: Answers, *, rate_limit: bool, deadline: float) -> Iterator[Any]:
    """Give OSMnx with our settings, and take them back; every fault of a server is one ``OfflineError``.

    ``deadline``: by ``time.monotonic()``.
    """
    import osmnx

    ours: dict[str, Any] = {
        "overpass_url": settings.overpass_url,
        "nominatim_url": settings.nominatim_url,
        "overpass_rate_limit": rate_limit,
        # The server's limit, too. Constant, as it is a part of the question.
        "requests_timeout": max(1, round(settings.answer_s)),
        "requests_kwargs": {**_requests_kwargs(settings), "hooks": {"response": Inspector(deadline)}},
        "http_user_agent": settings.user_agent,
        "http_referer": settings.user_agent,
        "doh_url_template": None,  # names are looked up by this machine, or not at all
        "use_cache": True,
        "cache_only_mode": False,
        "cache_folder": answers.folder,
        "useful_tags_way": list(WAY_TAGS),
        "useful_tags_node": ["highway"],
    }
    with _one_at_a_time:
        theirs = {name: getattr(osmnx.settings, name) for name in ours}
        look_up = socket.getaddrinfo  # OSMnx replaces it, to stay with one machine behind a name
        for name, value in ours.items():
            setattr(osmnx.settings, name, value)
        try:
            yield osmnx
        except requests.RequestException as fault:
            raise OfflineError(_sentence(fault, settings)) from fault
        except (OfflineError, InterruptedError):
            raise
        except OSError as fault:
            raise OutputError(
                f"{answers.folder}: answers of the map server could not be kept ({fault}). Is the disk full?"
            ) from fault
        finally:
            socket.getaddrinfo = look_up
            for name, value in theirs.items():
                setattr(osmnx.settings, name, value)


def check_reachable(url: str, settings: OnlineSettings) -> None:
    """Raise ``OfflineError`` where no connection to a server, or to the proxy before it, comes about in 2 s."""
    proxies = _requests_kwargs(settings).get("proxies") or requests.utils.get_environ_proxies(url)
    through = requests.utils.select_proxy(url, proxies)
    where = urlsplit(through if through and "://" in through else f"//{through}" if through else url)
    port = where.port or (443 if where.scheme == "https" else 80)
    fault: list[BaseException | None] = []

    def connect() -> None:
        try:
            socket.create_connection((where.hostname or "", port), timeout=REACH_S).close()
            fault.append(None)
        except OSError as reason:
            fault.append(reason)

    # In a thread of its own: looking up a name may take far longer than any timeout.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(REACH_S + 0.5)
    if not fault or fault[0] is not None:
        what = f"The proxy {where.hostname}" if through else f"The map server {where.hostname}"
        why = "no answer in 2 s" if not fault or isinstance(fault[0], TimeoutError) else str(fault[0])
        raise OfflineError(
            f"{what} cannot be reached ({why}). Check the connection and the settings. {_FILES}"
        )


def announces_slots(settings: OnlineSettings) -> bool:
    """Tell whether an Overpass server says when it has room: only then can OSMnx wait for a slot.

    On others its wait would never end.
    """
    try:
        page = requests.get(
            f"{settings.overpass_url}/status",
            timeout=(REACH_S, STATUS_S),
            headers={"User-Agent": settings.user_agent},
            hooks={"response": Inspector(time.monotonic() + STATUS_S, wait_for_slots=False)},
            **_requests_kwargs(settings),
        )
    except (requests.RequestException, OfflineError):
        return False
    lines = page.text.split("\n")
    return len(lines) > 4 and re.match(r"\d+ slots? available|Slot available after", lines[4]) is not None


def prune_cache(settings: OnlineSettings) -> None:
    """Forget the oldest answers until no more than ``cache_mb`` are kept."""
    folders = [path for path in cache_dir("overpass").iterdir() if path.is_dir()]
    folders.sort(key=_age_days)
    kept = 0
    for folder in folders:
        kept += folder_bytes(folder)
        if kept > settings.cache_mb * 1e6:
            shutil.rmtree(folder, ignore_errors=True)


def clear_cache() -> tuple[Path, int]:
    """Delete all that lies in the user's cache folder; return the folder and the bytes freed."""
    folder = cache_dir()
    before = folder_bytes(folder)
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    return folder, before - folder_bytes(folder)


def folder_bytes(folder: Path) -> int:
    """Return the size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _requests_kwargs(settings: OnlineSettings) -> dict[str, Any]:
    kwargs: dict[str, Any] = {}
    if settings.proxy:
        kwargs["proxies"] = {"http": settings.proxy, "https": settings.proxy}
    if settings.ca_bundle:
        kwargs["verify"] = settings.ca_bundle
    return kwargs


def _sentence(fault: requests.RequestException, settings: OnlineSettings) -> str:
    url = getattr(fault.request, "url", None) or settings.overpass_url
    server = urlsplit(url).hostname
    if isinstance(fault, requests.exceptions.SSLError):
        return (
            f"{server} shows a certificate that is not trusted. If your town has its own authority, name its PEM "
            "file in the setting ca_bundle."
        )
    if isinstance(fault, requests.exceptions.ProxyError):
        return f"The proxy lets nothing through to {server}. Check the setting proxy."
    if isinstance(fault, requests.Timeout):
        return f"{server} did not answer within {settings.answer_s:g} s. Try again later. {KEPT}"
    return f"The connection to {server} broke off. Check the connection and try again. {KEPT}"


def _looks_whole(body: bytes) -> bool:
    return body.rstrip()[-1:] in (b"}", b"]")


def _age_days(folder: Path) -> float:
    return (time.time() - folder.stat().st_mtime) / 86400 if folder.is_dir() else 0.0
