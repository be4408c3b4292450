# SPDX-License-Identifier: MIT
"""Gathers the pages of the site: gather.py SOURCE FOLDER VERSION.

The pages of nav.yml, and all that they link to, are copied to FOLDER/pages as Markdown. They keep their places, so that
the same links work on a code host: a folder shows its README or what is in it, a program its lines. FOLDER/man has the
manual pages that src/man/pages.pl made of the headers."""
import json
import pathlib
import re
import shutil
import sys

import manual
import yaml

OPENING = "docs/hosts.md"
FUNCTIONS = "functions"  # the index of all functions: a page without a file of the repository
LANGUAGES = {".c": "c", ".h": "c", ".cc": "cpp", ".py": "python", ".pl": "perl", ".psgi": "perl", ".sh": "bash", ".rb": "ruby",
             ".php": "php", ".lua": "lua", ".json": "json", ".yaml": "yaml"}


class Site:
    def __init__(self, source, folder, version):
        self.source, self.folder, self.version = source, folder, version
        self.waiting, self.places = [], {}
        self.headers, self.homes = {}, {"seqshare(1)": "src/cli/seqshare.1.md", "seqshare-feed(1)": "src/feed/seqshare-feed.1.md"}
        for page in sorted((folder / "man").glob("*.3")):
            self.take_function(page.read_text())

    def take_function(self, roff):
        if roff.startswith(".so "):
            return
        header = "include/" + re.search(r"^\.B #include <(.*)>$", roff, re.M)[1]
        self.headers.setdefault(header, []).append(roff)
        for name in manual.whatis(roff)[0]:
            self.homes[f"{name}(3)"] = f"{header}.md#{name}"
        self.homes[f"seqshare_{pathlib.Path(header).stem}(7)".replace("seqshare_seqshare", "seqshare")] = f"{header}.md"

    def place(self, path):
        """Where the page of that path of the repository is; it will be made."""
        if path not in self.places:
            self.places[path] = self.where(path)
            self.waiting.append(path)
        return self.places[path]

    def where(self, path):
        if path == OPENING:
            return "index.md"
        if path == "README.md":
            return "readme.md"
        if (self.source / path).is_dir():
            return f"{path}/{'README' if (self.source / path / 'README.md').exists() else 'index'}.md"
        return path if path.endswith((".md", ".svg", ".png")) else f"{path}.md"

    def write(self, path):
        place, file = self.folder / "pages" / self.places[path], self.source / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.suffix in (".svg", ".png"):
            shutil.copy(file, place)
        elif path == FUNCTIONS:
            place.write_text(self.index())
        elif file.is_dir():
            if (file / "README.md").exists():
                self.place(f"{path}/README.md")
            else:
                place.write_text(self.linked(f"{path}/index", f"# {path}\n\n" + listing(file)))
        else:
            place.write_text(self.page(path, file.read_text()))

    def page(self, path, text):
        suffix = pathlib.Path(path).suffix
        if re.fullmatch(r"examples/.*/README\.md", path):
            text += "\n## Files\n\n" + listing((self.source / path).parent)
        if suffix == ".md":
            return self.linked(path, text)
        if path in self.headers:
            return self.header(path)
        if re.fullmatch(r"\.[1-8]", suffix):
            return self.references(path, manual.to_markdown(text, pathlib.Path(path).stem + f"({suffix[1:]})"))
        if suffix in (".pod", ".pm"):
            name = re.search(r"^=head1 NAME\n\n(\S+)", text, re.M)[1]
            return manual.to_markdown(manual.run(["pod2man", str(self.source / path)]), name, "perl")
        return f"# {path}\n\n~~~~~~{LANGUAGES.get(suffix, '')}\n{text.rstrip()}\n~~~~~~\n"

    def linked(self, path, text):
        """Markdown whose links lead to the site's pages. Code is left alone."""
        lines, fenced = [""], False
        for line in text.split("\n"):
            fenced ^= line.lstrip().startswith("```")
            if not fenced and re.match(r" {1,3}([-*] |\d+\. )" if lines[-1] else r" {1,3}\S", line):
                raise SystemExit(f"{path}: what belongs to an item of a list needs four blanks before it: {line.strip()}")
            lines.append(line if fenced else self.linked_line(path, line))
        return "\n".join(lines[1:])

    def linked_line(self, path, line):
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[1::2] = [self.code(path, *pair) for pair in zip(parts[1::2], parts[2::2])]
        parts[::2] = [re.sub(r"\]\(([^)\s]+)\)", lambda link: f"]({self.link(path, link[1])})", part) for part in parts[::2]]
        return "".join(parts)

    def code(self, path, span, behind):
        """A function's name leads to the reference, unless it leads elsewhere."""
        home = self.homes.get(span.strip("`") + "(3)")
        return f"[{span}]({self.relative(path, home)})" if home and not behind.startswith("](") else span

    def link(self, path, target):
        if re.match(r"[a-z]+:|#", target):
            return target
        target, _, anchor = target.partition("#")
        file = (self.source / path).parent.joinpath(target).resolve()
        if not file.exists() or not file.is_relative_to(self.source):
            raise SystemExit(f"{path}: a link leads nowhere: {target}")
        return self.relative(path, self.place(str(file.relative_to(self.source)))) + (f"#{anchor}" if anchor else "")

    def relative(self, path, place):
        """From a page of the repository to a place in the site."""
        return "../" * (len(pathlib.PurePath(self.places.get(path) or path).parts) - 1) + place

    def header(self, path):
        """The reference of one header: its own manual page, then those of its functions, in the header's order."""
        text = (self.source / path).read_text()
        name = pathlib.Path(path).stem
        opening = (self.folder / "man" / ("seqshare.7" if name == "seqshare" else f"seqshare_{name}.7")).read_text()
        page = f"# {path.removeprefix('include/')}\n\n"
        page += next(manual.with_code(body, "c") for _, title, body in manual.sections(manual.rendered(opening)) if title == "DESCRIPTION")
        for roff in sorted(self.headers[path], key=lambda roff: declared(manual.whatis(roff)[0][0], text)):
            page += manual.function(roff)
        return self.references(path, page)

    def references(self, path, page):
        """Names of functions in bold, and of manual pages, as links to their places."""
        def link(found):
            home = self.homes.get(found["name"] + (found["section"] or "(3)"))
            return f'<a href="{self.relative(path, re.sub(".md(?=#|$)", ".html", home))}">{found[0]}</a>' if home else found[0]
        return re.sub(r'<b>(?P<name>[\w-]+)</b>(?P<section>\([137]\))?', link, page)

    def index(self):
        rows = {name: (header, manual.whatis(roff)[1]) for header, pages in self.headers.items() for roff in pages for name in manual.whatis(roff)[0]}
        page = "# All functions\n\n| function | what it does | header |\n| --- | --- | --- |\n"
        for name, (header, summary) in sorted(rows.items()):
            page += f"| [`{name}`]({header}.md#{name}) | {summary} | [{header.removeprefix('include/seqshare/')}]({self.place(header)}) |\n"
        return page

    def navigation(self, entries):
        """The entries of nav.yml with places for paths; a pattern becomes all pages that no other entry names."""
        made = []
        for entry in entries:
            if isinstance(entry, str):
                matches = sorted(str(file.relative_to(self.source)) for file in self.source.glob(entry))
                made += [self.place(match) for match in matches if match not in self.named]
            else:
                (title, value), = entry.items()
                made.append({title: self.navigation(value) if isinstance(value, list) else self.place(value)})
        return made

    def gather(self):
        site = self.source / "docs/site"
        nav = yaml.safe_load((site / "nav.yml").read_text())
        self.named = set(re.findall(r"[^:\s]+$", (site / "nav.yml").read_text(), re.M))
        nav = self.navigation(nav)
        while self.waiting:
            self.write(self.waiting.pop())
        shutil.copy(site / "site.css", self.folder / "pages")
        settings = {"INHERIT": str(site / "mkdocs.yml"), "nav": nav, "docs_dir": "pages", "site_dir": "html",
                    "use_directory_urls": False, "copyright": f"seqshare {self.version}. MIT licence."}
        (self.folder / "mkdocs.yml").write_text(json.dumps(settings))


def declared(name, header):
    return re.search(rf"^(?:SEQSHARE_(?:API|INLINE)|static inline|#define)\b[^;{{]*?\b{name}\(", header, re.M).start()


def listing(folder):
    names = sorted(file.name for file in folder.iterdir() if file.is_file() and not file.name.startswith((".", "README")))
    return "".join(f"- [{name}]({name})\n" for name in names)


Site(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]).gather()
