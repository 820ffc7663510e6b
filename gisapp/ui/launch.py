"""Start the app: Streamlit's server in this process, the town made ready while the browser still loads."""

import contextlib
import os
import socket
import threading
from pathlib import Path

from gisapp.errors import InputError
from gisapp.ui.load import PROJECT_VARIABLE, load_town


def launch(
    *, project: str | None = None, port: int = 8501, address: str = "127.0.0.1", browser: bool = True
) -> None:
    """Serve the app until it is interrupted. Nothing is sent home; only ``address`` is listened on."""
    from streamlit.web import bootstrap

    _check_port(address, port)
    if project is not None:
        os.environ[PROJECT_VARIABLE] = project
    options = {
        "server.port": port,
        "server.address": address,
        "server.headless": not browser,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.base": "light",
        "theme.primaryColor": "#2a788e",
    }
    flags = {name.replace(".", "_"): value for name, value in options.items()}
    bootstrap.load_config_options(flag_options=flags)
    threading.Thread(
        target=_warm_up, args=(project or os.environ.get(PROJECT_VARIABLE),), daemon=True
    ).start()
    bootstrap.run(str(Path(__file__).with_name("app.py")), False, [], flags)


def _check_port(address: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            # As the server itself will: a port that was closed a moment ago is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as fault:
        raise InputError(
            f"--port {port}: cannot be listened on at {address} ({fault.strerror or fault}). Is the app already "
            "running there? Choose another port."
        ) from fault


def _warm_up(project: str | None) -> None:
    # Whatever is wrong will be met again, and told, when a session asks for the town.
    with contextlib.suppress(Exception):
        load_town(project)
