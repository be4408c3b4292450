#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: the documentation as a site: whole, without dead links, and without anything from elsewhere
# tier: full
# budget: 40
# lane: waits
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/site
rm -rf "$work"
mkdir -p "$work"
site=$work/site/html
source ./parts.sh

check "one command builds it, and finds no dead link" build_site
check "every page of the repository is in it" every_page_is_there
check "the README can be read in one go: fewer than 130 lines" test "$(wc -l <"$SEQSHARE_SOURCE/README.md")" -lt 130
check "every public function has its place in the reference, and in the index" functions_have_places
check "the manual pages are in it" manual_pages_are_there
check "the search knows functions, options and promises" search_knows
check "each line of the page of hosts is from a page that it leads to" ./hosts.py "$SEQSHARE_SOURCE/docs/hosts.md"
check_fails "noticed: a line of the page of hosts that no page has" hosts_with_a_line_of_its_own
check "noticed: a link to a file that the repository lacks" missing_file_is_noticed
while read -r name text; do
    check "noticed: $name" fault_is_noticed "$text"
done <<'LIST'
link <a href="docs/nowhere.html">
anchor <a href="docs/tour.html#nowhere">
script <script src="https://example.org/a.js"></script>
font <link rel="stylesheet" href="//example.org/a.css">
picture <img alt="" src="http://example.org/a.png">
style <p style="background: url(https://example.org/a.png)">
import <style>@import "https://example.org/a.css";</style>
diagram <pre class="mermaid"></pre>
LIST
check "without these, there is nothing to notice" look_for_faults
if command -v chromedriver && /usr/bin/python3 -c 'import selenium' 2>/dev/null; then
    check "a browser finds a function by the search, and fetches nothing from elsewhere" browser_searches
    check "noticed: what a browser would fetch from elsewhere" browser_complains
else
    skip "the site in a browser" "needs chromium-driver and python3-selenium"
fi
finish
