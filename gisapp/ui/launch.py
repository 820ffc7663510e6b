"""Start the app: Streamlit's server in this process, the town made ready while the browser still loads."""

import contextlib
import os
import threading
from pathlib import Path

from gisapp.ui.load import PROJECT_VARIABLE, load_town


def launch(
    *, project: str | None = None, port: int = 8501, address: str = "127.0.0.1", browser: bool = True
) -> None:
    """Serve the app until it is interrupted. Nothing is sent home; only ``address`` is listened on."""
    from streamlit.web import bootstrap

    if project is not None:
        os.environ[PROJECT_VARIABLE] = project
    options = {
        "server.port": port,
        "server.address": address,
        "server.headless": not browser,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
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


def _warm_up(project: str | None) -> None:
    # Whatever is wrong will be met again, and told, when a session asks for the town.
    with contextlib.suppress(Exception):
        load_town(project)
