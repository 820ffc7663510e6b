"""A look at each answer of a map server before OSMnx sees it: late, refused or half, it becomes one sentence."""

import io
import json
import re
import time
from typing import Any
from urllib.parse import urlsplit

import requests

from gisapp.errors import OfflineError

KEPT = "What was downloaded is kept."


class Inspector:
    """Looks at each answer as it comes in, before OSMnx does, whose own retries would go on for ever."""

    def __init__(self, deadline: float, *, wait_for_slots: bool = True) -> None:
        self.deadline, self.wait_for_slots = deadline, wait_for_slots

    def __call__(self, response: requests.Response, **_: Any) -> None:
        if response.is_redirect:
            return
        try:
            self._inspect(response, urlsplit(response.url).hostname)
        except OfflineError:
            response.close()
            raise

    def _inspect(self, response: requests.Response, server: str | None) -> None:
        if response.status_code == 429:
            raise OfflineError(
                f"{server} has had too many requests (429). Wait some minutes and try again. {KEPT}"
            )
        if response.status_code in (502, 503, 504):
            raise OfflineError(
                f"{server} is too busy ({response.status_code}). Try again later, or a smaller area. {KEPT}"
            )
        if response.status_code >= 400:
            raise OfflineError(
                f"{server} refused the request ({response.status_code} {response.reason}). Is the address right?"
            )
        body = self._body(response, server)
        response.raw = io.BytesIO(body)
        if urlsplit(response.url).path.endswith("/status"):
            if self.wait_for_slots:
                self._check_slot(body.decode(errors="replace"), server)
        else:
            _check_json(body, server, a_list=not urlsplit(response.url).path.endswith("/interpreter"))

    def _body(self, response: requests.Response, server: str | None) -> bytes:
        read = getattr(response.raw, "read1", response.raw.read)
        parts = []
        try:
            while part := read(1 << 16, decode_content=True):
                parts.append(part)
                if time.monotonic() > self.deadline:
                    raise OfflineError(f"{server} is too slow: its answer was not complete in time. {KEPT}")
        except OfflineError:
            raise
        except Exception as fault:
            if "timed out" in str(fault).lower():
                raise OfflineError(
                    f"{server} stopped in the middle of its answer. Try again. {KEPT}"
                ) from fault
            raise OfflineError(_broken(server)) from fault
        return b"".join(parts)

    def _check_slot(self, text: str, server: str | None) -> None:
        left = self.deadline - time.monotonic()
        wait = re.search(r"^Slot available after: .*in (\d+) seconds", text, re.MULTILINE)
        free = re.search(r"^[1-9]\d* slots? available", text, re.MULTILINE)
        if left < 0 or (wait and not free and int(wait[1]) > left):
            raise OfflineError(f"{server} has no room for us in time. Try again later. {KEPT}")


def _check_json(body: bytes, server: str | None, *, a_list: bool) -> None:
    try:
        answer = json.loads(body)
    except ValueError as fault:
        raise OfflineError(_broken(server)) from fault
    if a_list and isinstance(answer, list):
        return
    if isinstance(answer, dict) and "remark" in answer:
        remark = " ".join(str(answer["remark"]).split())[:200]
        raise OfflineError(f"{server} stopped half-way: {remark} Try again later, or a smaller area. {KEPT}")
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        raise OfflineError(f"{server} did not answer as a map server does. Is the address right?")


def _broken(server: str | None) -> str:
    return f"{server} sent an answer that is cut short or no map data. Try again. {KEPT}"
