# SPDX-License-Identifier: MIT
"""dist-info.py PYPROJECT FOLDER: writes what importlib.metadata and pytest look for, from pyproject.toml.

Debian 12 has no scikit-build-core, which would write it.
"""

import pathlib
import sys
import tomllib

pyproject = pathlib.Path(sys.argv[1])
project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
folder = pathlib.Path(sys.argv[2]) / f"{project['name']}-{project['version']}.dist-info"
folder.mkdir(parents=True, exist_ok=True)

fields = {
    "Metadata-Version": "2.1",
    "Name": project["name"],
    "Version": project["version"],
    "Summary": project["description"],
    "License": project["license"],
    "Requires-Python": project["requires-python"],
}
(folder / "METADATA").write_text("".join(f"{name}: {text}\n" for name, text in fields.items()), encoding="utf-8")
(folder / "INSTALLER").write_text("dpkg\n", encoding="utf-8")
lines = []
for group, points in project["entry-points"].items():
    lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items())]
(folder / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
