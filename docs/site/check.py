# SPDX-License-Identifier: MIT
"""Checks a built site: check.py FOLDER. No link or anchor is dead, and a browser fetches nothing from elsewhere."""
import html.parser
import pathlib
import re
import sys
import urllib.parse

# What a browser fetches by itself. (A link that a reader follows may lead anywhere.)
FETCHED = {"script": ["src"], "link": ["href"], "img": ["src", "srcset"], "iframe": ["src"], "source": ["src", "srcset"],
           "object": ["data"], "embed": ["src"], "video": ["src", "poster"], "audio": ["src"], "use": ["href", "xlink:href"]}


class Page(html.parser.HTMLParser):
    def __init__(self, file):
        super().__init__()
        self.anchors, self.links, self.fetched, self.styles = {""}, [], [], []
        self.feed(file.read_text())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[name] for name in ("id", "name") if attributes.get(name)}
        self.links += [attributes["href"]] if tag == "a" and attributes.get("href") else []
        self.fetched += [attributes[name] for name in FETCHED.get(tag, []) if attributes.get(name)]
        self.styles += [attributes["style"]] if attributes.get("style") else []
        if "mermaid" in (attributes.get("class") or "").split():
            self.fetched.append("https://elsewhere/mermaid.js")  # which the theme fetches to draw it

    def handle_data(self, data):
        if self.lasttag == "style":
            self.styles.append(data)


def is_outside(url):
    return re.match(r"(?!data:)([a-z]+:|//)", url) is not None


def fetched_by_style(text):
    return [found[1] or found[2] for found in re.finditer(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", text)]


def main(folder):
    pages = {file: Page(file) for file in folder.rglob("*.html")}
    faults = [] if pages else [f"{folder}: there are no pages"]
    for file, page in pages.items():
        name = file.relative_to(folder)
        fetched = page.fetched + [url for style in page.styles for url in fetched_by_style(style)]
        faults += [f"{name}: fetches {url}" for url in fetched if is_outside(url)]
        for link in page.links + fetched:
            if is_outside(link) or link.startswith("data:"):
                continue
            path, _, anchor = link.partition("#")
            path = urllib.parse.unquote(path.partition("?")[0])
            target = (folder / path.lstrip("/") if path.startswith("/") else file.parent / path if path else file).resolve()
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                faults.append(f"{name}: there is no {link}")
            elif target in pages and urllib.parse.unquote(anchor) not in pages[target].anchors:
                faults.append(f"{name}: there is no place {link}")
    for file in folder.rglob("*.css"):
        faults += [f"{file.relative_to(folder)}: fetches {url}" for url in fetched_by_style(file.read_text()) if is_outside(url)]
    print("\n".join(sorted(set(faults))), end="\n" if faults else "")
    return 1 if faults else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
