#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The documentation as a site, with search: build/site/html, or FOLDER/html.
#
#     docs/site/build.sh [FOLDER]
#
# Pages are the repository's own Markdown, man pages and POD, gathered from nav.yml and from what they link to. The
# site is made only if no link or anchor is dead, and if a browser would fetch nothing from elsewhere.
set -euo pipefail
export LC_ALL=C.UTF-8

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=${1:-$source/build/site}

for program in mkdocs mandoc pod2man; do
    command -v $program >/dev/null || {
        echo "docs/site/build.sh: there is no $program here; on Debian: apt-get install mkdocs-material mandoc perl" >&2
        exit 2
    }
done

version=$(sed -nE 's/^#define SEQSHARE_VERSION_[A-Z]+ +([0-9]+)$/\1/p' "$source/include/seqshare/seqshare.h" | paste -sd.)
rm -rf "$folder"/{man,pages,html,mkdocs.yml}
mkdir -p "$folder/man"
perl "$source/src/man/pages.pl" "$version" "$folder/man" "$source"/include/seqshare/{seqshare,typed,cache,feed,json}.h
/usr/bin/python3 -B "$source/docs/site/gather.py" "$source" "$folder" "$version"
mkdocs build --strict --quiet --config-file "$folder/mkdocs.yml"
/usr/bin/python3 -B "$source/docs/site/check.py" "$folder/html"
cat <<END
The site is in $folder/html. To read it, with search:
    python3 -m http.server --bind 127.0.0.1 --directory $folder/html 8000
END
