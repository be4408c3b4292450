#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recipes of docs/php.md, each in php-fpm under nginx as it stands there.

Shows: no promise: the documentation is true.

    recipes.py EXTENSION DOCUMENT
"""

import os
import re
import sys

from fpm import Place, seqshare

ANSWERS = {
    "php-fpm": ["light"],
    "class": ["light"],
    "publish": ["dark", "light"],
    "health": [r"version \d+, fresh"],
    "loop": ["light second"],
    "wait": ["light"],
}


def main():
    place = Place(os.path.abspath(sys.argv[1]))
    with open(sys.argv[2], encoding="utf-8") as file:
        recipes = re.findall(r"```php\n(<\?php\n// ([\w-]+): index\.php\n.*?)```", file.read(), re.DOTALL)
    assert {name for _, name in recipes} == set(ANSWERS), recipes
    try:
        seqshare("create", place.share, "--size", "1M", "--mode", "666", "--json", "--from", "-", input='{"flags": {"dark": false}}')
        script = place.folder / "index.php"
        place.serve_instead(script)
        script.write_text("<?php")
        place.start()
        for number, (text, name) in enumerate(recipes):
            script.write_text(text.replace("/run/shop/config", place.share))
            os.utime(script, (number, number))  # opcache compares whole seconds
            for wanted in ANSWERS[name]:
                said = place.ask(is_json=False)
                assert said is not None and re.fullmatch(wanted, said), (name, said, place.log())
            print(name, "is as it says")
    finally:
        place.stop()


main()
