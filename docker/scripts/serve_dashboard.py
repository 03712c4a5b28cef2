"""Serve optuna-dashboard on Optuna's database; its own command takes the password as an argument.

Whoever reaches it may read, rename and delete all searches: it has no accounts. So it answers only
to the names it is told, which keeps other web pages of a browser from reaching it.
"""

from __future__ import annotations

import os
from typing import Any

from gunicorn.app.base import BaseApplication
from optuna.storages import RDBStorage
from optuna_dashboard import wsgi
from settings import database, listen, whole


class Dashboard(BaseApplication):  # type: ignore[misc]
    """The dashboard in one process with a few threads."""

    def load_config(self) -> None:
        """Set where it listens."""
        host, port = listen()
        self.cfg.set("bind", f"{host}:{port}")
        self.cfg.set("threads", 4)
        self.cfg.set("control_socket_disable", True)

    def load(self) -> Any:
        """Open the storage, in the process that serves it."""
        pages = wsgi(RDBStorage(whole(database("optuna")), engine_kwargs={"pool_pre_ping": True}))
        allowed = {name.strip() for name in os.environ["DASHBOARD_ALLOWED_HOSTS"].split(",")}

        def answer(request: dict[str, Any], start: Any) -> Any:
            if request.get("HTTP_HOST") in allowed:
                return pages(request, start)
            start("403 Forbidden", [("Content-Type", "text/plain")])
            return [b"this name is not in DASHBOARD_ALLOWED_HOSTS\n"]

        return answer


if __name__ == "__main__":
    Dashboard().run()
