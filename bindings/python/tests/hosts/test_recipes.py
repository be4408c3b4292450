# SPDX-License-Identifier: MIT
"""The recipes of docs/python.md, as they stand there, under their servers.

Shows: no promise: the recipes of docs/python.md.
"""

import os
import re
import sys

import pytest
from test_servers import Server

import seqshare

DOCS = os.environ.get("SEQSHARE_PYTHON_DOCS") or os.path.join(os.path.dirname(__file__), "../../../../docs/python.md")
GUNICORN = ("-m", "gunicorn", "shop:application", "--workers", "2", "--log-level", "warning", "--bind")


def _blocks():
    with open(DOCS) as file:
        return dict(re.findall(r"```python\n# (\w+): shop.py\n(.*?)```", file.read(), re.S))


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


@pytest.mark.skipif(not os.path.exists(DOCS), reason="the project's docs are not here")
@pytest.mark.parametrize("name", ["gunicorn", "flask", "django", "uvicorn"])
def test_a_recipe(name, path, tmp_path, eventually):
    pytest.importorskip("gunicorn")
    pytest.importorskip(name)
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "shop.py").write_text(_blocks()[name])
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
