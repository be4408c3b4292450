# SPDX-License-Identifier: MIT
"""Manual pages as pages of the site: mandoc's HTML, with headings and code in Markdown, so that the site's contents,
search and colours have them."""
import html
import re
import subprocess
import textwrap


def run(command, text=None):
    return subprocess.run(command, input=text, check=True, text=True, stdout=subprocess.PIPE).stdout


def rendered(roff):
    """mandoc's HTML of a page: without its frame, the anchors that it makes, and what is empty."""
    roff = re.sub(r"^\\&$", r"\\&\\ ", roff, flags=re.M)  # else mandoc drops the empty lines of pod2man's code
    page = run(["mandoc", "-T", "html", "-O", "fragment"], roff)
    page = re.search(r'class="manual-text"[^>]*>\n(.*)</(?:div|main)>\n', page, re.S)[1]
    page = re.sub(r"</?section[^>]*>\n", "", page)
    page = re.sub(r'<a class="permalink"[^>]*>(.*?)</a>', r"\1", page, flags=re.S)
    page = re.sub(r'<a class="Xr">(.*?)(\(\w+\))</a>', r"<b>\1</b>\2", page, flags=re.S)
    page = re.sub(r' id="[^"]*"', "", page)
    return re.sub(r'<p class="Pp"></p>\n|<pre></pre>\n|^<br/>\n', "", page).replace("\n<br/>\n ", "\n ")


def depth(text):
    """How many lists and boxes are open at the end of the text."""
    return len(re.findall(r"<(?:div|dl|ul|ol|table)\b", text)) - len(re.findall(r"</(?:div|dl|ul|ol|table)>", text))


def block(text):
    return f'<div class="man">\n{text.strip()}\n</div>\n\n' if text.strip() else ""


def with_code(text, language):
    """HTML blocks, and what is verbatim between them as fenced code."""
    page, rest = "", 0
    for found in re.finditer(r'^(?:<div class="Bd[^"]*">\n)?<pre[^>]*>(.*?)</pre>\n(?:</div>\n)?', text, re.M | re.S):
        if depth(text[rest:found.start()]) == 0:
            code = html.unescape(re.sub(r"<[^>]*>", "", found[1])).replace("\u00a0", "")
            code = textwrap.dedent(code).strip("\n")
            page += block(text[rest:found.start()]) + f"~~~~{language if ';' in code else ''}\n{code}\n~~~~\n\n"
            rest = found.end()
    return page + block(text[rest:])


def sections(page):
    """Pairs of a heading, with its level, and the HTML below it."""
    parts = re.split(r'<h([12]) class="S[hs]">(.*?)</h[12]>\n', page, flags=re.S)
    return [(int(level), " ".join(title.split()), text) for level, title, text in zip(parts[1::3], parts[2::3], parts[3::3])]


def readable(title):
    return title.capitalize() if title.isupper() else title


def to_markdown(roff, title, language=""):
    """A whole page: each of its sections is one of the site's page."""
    page = f"# {title}\n\n"
    for level, heading, text in sections(rendered(roff)):
        page += f"#{'#' * level} {readable(heading)}\n\n" + with_code(text, language)
    return page


def whatis(roff):
    """The names and the summary of a page of section 3 or 7, from its line NAME."""
    names, summary = re.search(r"^\.SH NAME\n(.*) \\- (.*)$", roff, re.M).groups()
    return names.split(", "), summary.replace("\\-", "-")


def function(roff):
    """A page of section 3 as a section of its header's page, with an anchor for each of its names."""
    names, _ = whatis(roff)
    page = f"## {', '.join(names)} {{ #{names[0]} }}\n\n" + "".join(f'<a id="{name}"></a>\n' for name in names[1:]) + "\n"
    for _, heading, text in sections(rendered(roff)):
        if heading == "SYNOPSIS":
            page += with_code(re.sub(r'<p class="Pp"><b>#include.*?</p>\n', "", text), "c")
        elif heading == "DESCRIPTION":
            page += with_code(text, "c")
        elif heading != "NAME":
            page += with_code(f"<h4>{readable(heading)}</h4>\n{text}", "c")
    return page
