# SPDX-License-Identifier: MIT
"""A pytest plugin: the fixture `seqshare_document` gives a test shares of its own.

    def test_dark_mode(seqshare_document, client):
        config = seqshare_document({"flags": {"dark": True}})   # a named share: config.name is its path
        os.environ["SHOP_CONFIG"] = config.name
        assert "dark" in client.get("/").text
        config.set({"flags": {"dark": False}})

The plugin is there as soon as the package is installed. The shares lie in the test's own folder and go with it.
"""

import pytest

from ._share import create


@pytest.fixture
def seqshare_document(tmp_path):
    """A function: seqshare_document(document, size=1 MiB, **options of seqshare.create) makes a share with a document."""
    made = []

    def make(document, size=1 << 20, **options):
        share = create(str(tmp_path / f"share{len(made)}"), size, value=document, **options)
        made.append(share)
        return share

    yield make
    for share in made:
        share.close()
