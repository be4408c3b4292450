# SPDX-License-Identifier: MIT
# The steps of the site's part; sourced by run.sh, which is the list of them.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${site:?is set by run.sh}"

build_site() {
    "$SEQSHARE_SOURCE/docs/site/build.sh" "$work/site"
}

# All of the first folder and of docs, and each README.
every_page_is_there() {
    local file page missing=0
    (cd "$SEQSHARE_SOURCE" && printf '%s\n' *.md && find docs -name '*.md' &&
        find -- * -name 'build*' -prune -o -name README.md -print) | sort -u >"$work/pages"
    [ "$(wc -l <"$work/pages")" -ge 25 ]
    while read -r file; do
        case $file in
        README.md) page=readme ;;
        docs/hosts.md) page=index ;;
        */README.md) page=${file%README.md}index ;;
        *) page=${file%.md} ;;
        esac
        [ -s "$site/$page.html" ] || { echo "$file is not in the site: see docs/site/nav.yml" && missing=1; }
    done <"$work/pages"
    return $missing
}

# All but those that only the inline functions of compiled programs call.
public_functions() {
    sed -nE 's/^SEQSHARE_(API|INLINE) [^(]*[ *](seqshare_[a-z0-9_]+)\(.*/\2/p' "$SEQSHARE_SOURCE"/include/seqshare/{seqshare,typed,cache,json}.h |
        grep -vxE 'seqshare_(holds|try_get_small)' | sort -u
    sed -nE 's/^static inline [^(]*[ *](seqshare_feed_[a-z]+)\(.*/\1/p' "$SEQSHARE_SOURCE/include/seqshare/feed.h"
    printf '%s\n' SEQSHARE_TYPE SEQSHARE_TAG
}

functions_have_places() {
    local function place missing=0
    public_functions >"$work/functions"
    [ "$(wc -l <"$work/functions")" -ge 70 ]
    while read -r function; do
        place=$(grep -oE "href=\"include/seqshare/\w+\.h\.html#$function\"" "$site/functions.html" | head -n 1 | cut -d '"' -f 2)
        grep -q "id=\"$function\"" "$site/${place%#*}" || { echo "$function has no place" && missing=1; }
    done <"$work/functions"
    return $missing
}

manual_pages_are_there() {
    grep -q -e '--if-version' "$site/src/cli/seqshare.1.html"
    grep -q rollback "$site/src/feed/seqshare-feed.1.html"
    grep -q ENOENT "$site/include/seqshare/seqshare.h.html"
    grep -q 'set_if' "$site/bindings/perl/lib/Seqshare.pm.html"
}

search_knows() {
    local word
    for word in seqshare_set_if prefault WRITE-1 rollback SeqshareEnv snapshot; do
        grep -q "$word" "$site/search/search_index.json" || { echo "the search does not know $word" && return 1; }
    done
}

hosts_with_a_line_of_its_own() {
    mkdir -p "$work/hosts"
    printf '## C\n\n    seqshare_nowhere();\n\n[x](x.md)\n' >"$work/hosts/hosts.md"
    echo 'seqshare_get();' >"$work/hosts/x.md"
    ./hosts.py "$work/hosts/hosts.md"
}

missing_file_is_noticed() {
    local copy=$work/copy
    mkdir -p "$copy"
    tar -C "$SEQSHARE_SOURCE" --exclude='./build*' --exclude=./.git --exclude=./tests/fuzz/corpus -c . | tar -C "$copy" -x
    echo '[a page](nowhere.md)' >>"$copy/docs/tour.md"
    fails "$copy/docs/site/build.sh" >"$work/said" 2>&1
    grep -F 'docs/tour.md: a link leads nowhere: nowhere.md' "$work/said"
}

with_fault() { # HTML COMMAND...: while it stands at the end of the first page
    local result=0
    cp "$site/index.html" "$work/index.html"
    sed "s|</body>|$1</body>|" "$work/index.html" >"$site/index.html"
    cmp -s "$site/index.html" "$work/index.html" && return 1
    "${@:2}" || result=$?
    cp "$work/index.html" "$site/index.html"
    return $result
}

look_for_faults() {
    /usr/bin/python3 -B "$SEQSHARE_SOURCE/docs/site/check.py" "$site"
}

fault_is_noticed() { # HTML
    with_fault "$1" fails look_for_faults
}

browser_searches() {
    timeout 300 /usr/bin/python3 -B browser.py "$site" seqshare_set_if '#seqshare_set_if'
}

# The server's answer to a page that fetches a picture from elsewhere: the browser's complaint.
browser_complains() {
    local result=0
    with_fault '<img alt="" src="http://example.org/a.png">' browser_searches || result=$?
    [ $result -eq 3 ]
}
