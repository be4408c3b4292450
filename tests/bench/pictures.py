#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Are the pictures of these results all there, and can they be read? Knows nothing of what drew them.

    pictures.py FILE.json DIR"""
import json
import os
import struct
import sys
import xml.etree.ElementTree as xml

TABLES_ALONE = {"coherence", "calls", "takeover"}  # questions without a picture
SVG = "{http://www.w3.org/2000/svg}"


def expected(path):
    """{picture: names of contenders that must stand in it}."""
    pictures = {}
    with open(path, encoding="utf-8") as file:
        for run in json.load(file)["benchmarks"]:
            question, contender, *rest = run["run_name"].split("/")
            if question == "latency":
                question += "-" + rest[0].removeprefix("bytes:")
            if question not in TABLES_ALONE:
                pictures.setdefault(question, set()).add(contender)
    pictures["retries"] = {f"{slots} slots" for slots in (2, 4, 8)}
    return pictures


def check_svg(path, names):
    root = xml.parse(path).getroot()
    assert root.tag == f"{SVG}svg", f"{path} is not an SVG"
    texts = ["".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")]
    missing = [name for name in names if not any(f"{text},".startswith(f"{name},") for text in texts)]
    assert not missing, f"{path} does not name {', '.join(missing)}"
    assert any("?" in text for text in texts), f"{path} asks no question"
    for text in root.iter(f"{SVG}text"):
        size = next(
            float(part.split("px")[0].split()[-1]) for part in text.get("style").split(";") if "px" in part
        )
        assert size >= 9, f"{path} has letters of {size} points"
    with open(path, encoding="utf-8") as file:
        assert "<dc:date>" not in file.read(), f"{path} has a date in it: it would change with every run"


def check_png(path):
    with open(path, "rb") as file:
        head = file.read(24)
    assert head[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is not a PNG"
    width, height = struct.unpack(">II", head[16:24])
    assert width >= 1000 and height >= 300, f"{path} is {width} x {height}"


def main(results, folder):
    pictures = expected(results)
    for picture, names in pictures.items():
        check_svg(os.path.join(folder, f"{picture}.svg"), names)
        check_png(os.path.join(folder, f"{picture}.png"))
    extra = {name.split(".")[0] for name in os.listdir(folder)} - set(pictures)
    assert not extra, f"pictures of what was not measured: {', '.join(extra)}"


main(*sys.argv[1:])
