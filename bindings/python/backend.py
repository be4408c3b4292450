# SPDX-License-Identifier: MIT
"""The build backend: scikit-build-core's, and a source distribution has the library's sources inside."""

import pathlib
import shutil

from scikit_build_core.build import *  # noqa: F403
from scikit_build_core.build import build_sdist as _build_sdist

_here = pathlib.Path(__file__).resolve().parent
_project = _here.parent.parent


def _vendor():
    vendor = _here / "vendor"
    shutil.rmtree(vendor, ignore_errors=True)
    shutil.copytree(_project / "include", vendor / "include")
    sources = shutil.ignore_patterns("cli", "feed", "man", "*.cmake", "*.in", "*.map", "CMakeLists.txt")
    shutil.copytree(_project / "src", vendor / "src", ignore=sources)
    shutil.copy(_project / "LICENSE", _here / "LICENSE")


def build_sdist(sdist_directory, config_settings=None):
    if not (_project / "src" / "write.c").exists():  # a distribution that is packed again keeps what it has
        return _build_sdist(sdist_directory, config_settings)
    _vendor()
    try:
        return _build_sdist(sdist_directory, config_settings)
    finally:
        shutil.rmtree(_here / "vendor")
