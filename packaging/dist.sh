#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# dist.sh [FOLDER]: makes FOLDER/seqshare-VERSION.tar.gz (FOLDER: build) of this tree, and prints its name. The same
# tree makes the same tarball, bit for bit, in a clone as in an unpacked tarball. A clone gives the files that git
# knows, as they lie there; an unpacked tarball gives all that is not below build.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mkdir -p "${1:-build}"
folder=$(cd "${1:-build}" && pwd)
version=$(sed -nE 's/^#define SEQSHARE_VERSION_[A-Z]+ +([0-9]+)$/\1/p' include/seqshare/seqshare.h | paste -sd .)
name=seqshare-$version

is_clone() { # of this project, and not a tarball that lies in somebody's clone
    [ "$(git -c safe.directory='*' rev-parse --show-cdup 2>/dev/null || echo none)" = "" ]
}

git_here() {
    git -c safe.directory='*' "$@"
}

files() {
    if is_clone; then
        git_here ls-files -z
    else
        find . -path './build*' -prune -o ! -type d -printf '%P\0'
    fi
}

# The last commit's time; tar gives it to all files, so any of them has it in an unpacked tarball.
time_of_the_tree() {
    if is_clone; then git_here log -1 --format=%ct; else stat -c %Y CMakeLists.txt; fi
}

if is_clone && ! git_here diff --quiet HEAD; then
    echo "dist.sh: this clone has changes that are not committed; the tarball has them too" >&2
fi
files | sort -z >"$folder/$name.files"
tar --create --format=ustar --mtime="@${SOURCE_DATE_EPOCH:-$(time_of_the_tree)}" --owner=root:0 --group=root:0 \
    --mode=u=rwX,go=rX --transform="flags=r;s,^,$name/," --no-recursion --null --files-from="$folder/$name.files" |
    gzip --no-name --best >"$folder/$name.tar.gz.new"
rm "$folder/$name.files"
mv "$folder/$name.tar.gz.new" "$folder/$name.tar.gz"
echo "$folder/$name.tar.gz"
