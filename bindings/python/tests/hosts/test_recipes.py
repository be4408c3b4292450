# SPDX-License-Identifier: MIT
"""The recipes of docs/python.md, which quotes examples/, under their servers.

Shows: no promise: the recipes of docs/python.md.
"""

import os
import shutil
import sys

import pytest
from test_servers import Server

import seqshare

EXAMPLES = os.path.join(os.path.dirname(__file__), "../../../../examples")
RECIPES = {"gunicorn": "flag/python", "flask": "flag/flask", "django": "flag/django", "uvicorn": "wait/python"}
GUNICORN = ("-m", "gunicorn", "shop:application", "--workers", "2", "--log-level", "warning", "--bind")


class Recipe(Server):
    def ask(self):
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/")
            response = connection.getresponse()
            return response.read().decode() if response.status == 200 else None
        except ConnectionError:
            return None
        finally:
            connection.close()


@pytest.mark.skipif(not os.path.exists(EXAMPLES), reason="the project's examples are not here")
@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe(name, path, tmp_path, eventually):
    pytest.importorskip("gunicorn")
    pytest.importorskip(name)
    (tmp_path / "app").mkdir()
    shutil.copy(os.path.join(EXAMPLES, RECIPES[name], "shop.py"), tmp_path / "app")
    os.chmod(tmp_path, 0o755)

    def command(address):
        host, port = address.split(":")
        if name == "uvicorn":
            return [sys.executable, "-m", "uvicorn", "shop:application", "--host", host, "--port", port, "--app-dir", str(tmp_path / "app")]
        return [sys.executable, *GUNICORN, address, "--chdir", str(tmp_path / "app")]

    with seqshare.create(path, 1 << 20, mode=0o644, value={"flags": {"dark": False}}) as config:
        server = Recipe(command, path, tmp_path / "log")
        try:
            eventually(lambda: server.is_up() and server.ask() == "light")
            config.set({"flags": {"dark": True}})
            eventually(lambda: server.ask() == "dark")
            config.update(lambda document: document["flags"].update(dark=False))
            eventually(lambda: server.ask() == "light")
        finally:
            server.stop()
