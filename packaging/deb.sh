#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes Debian packages of this tree, a clone or an unpacked tarball.
set -euo pipefail
export LC_ALL=C.UTF-8
umask 022 # its own files get into the packages

usage() {
    cat <<'TEXT'
usage: packaging/deb.sh [FOLDER]
Makes the Debian packages of this tree, and the source package, in FOLDER (build/packages), and prints their names.
It makes a tarball first (packaging/dist.sh) and builds from that, with packaging/debian as its folder debian. What is
not committed is in them too; files that git does not know are not.
DEB_BUILD_OPTIONS=nocheck leaves the tests of the build out. How it went is in FOLDER/build.log.
TEXT
}

die() {
    echo "deb.sh: $*" >&2
    exit 1
}

case ${1:-} in
-h | --help)
    usage
    exit 0
    ;;
-*) usage >&2 && die "there is no option '$1'" ;;
esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v dpkg-buildpackage >/dev/null || die "dpkg-buildpackage is missing: apt-get install build-essential debhelper"

mkdir -p "${1:-$here/../build/packages}"
out=$(cd "${1:-$here/../build/packages}" && pwd)
work=$(mktemp -d "$out/tree.XXXXXX")
trap 'rm -rf "$work"' EXIT

tarball=$("$here/dist.sh" "$work")
name=$(basename "$tarball" .tar.gz)
mv "$tarball" "$work/${name/-/_}.orig.tar.gz"
tar -x -z -f "$work/${name/-/_}.orig.tar.gz" -C "$work"
cd "$work/$name"
cp -r packaging/debian debian
sed '1,/^Copyright/d' LICENSE | sed 1d | sed 's/^$/./; s/^/ /' >>debian/copyright # one text of the licence

version=$(dpkg-parsechangelog --show-field Version)
[ "${version%-*}" = "${name#*-}" ] ||
    die "packaging/debian/changelog is for $version, include/seqshare/seqshare.h for ${name#*-}: add an entry (dch)"
missing=$(dpkg-checkbuilddeps 2>&1) || die "it is built with packages that are not here: apt-get build-dep $here
$missing"

dpkg-buildpackage --no-sign >"$out/build.log" 2>&1 || {
    tail -n 60 "$out/build.log" >&2
    die "the build failed; all that it said is in $out/build.log"
}
rm -r "${work:?}/$name"
(cd "$work" && ls -- *.deb) | sed "s,^,$out/,"
mv "$work"/*.* "$out"
