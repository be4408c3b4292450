# SPDX-License-Identifier: MIT
# Sourced by run.sh: the tests over the json-c of each Debian release, from the mirror that this machine's apt has.
# Shows: JSON-4.
# shellcheck shell=bash

# A new json-c may want a newer libc than this machine's: that comes along.
download() { # RELEASE
    local folder=$work/$1 apt=() mirror package
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
    [ -n "$mirror" ]
    mkdir -p "$folder"/{lists,cache,root}/partial
    : >"$folder/status" # as if nothing were installed: what is newer here would be taken for the one to have
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $1 main" >"$folder/sources.list"
    apt=(apt-get -q -o "Dir::Etc::SourceList=$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$folder/lists" -o "Dir::State::Status=$folder/status" -o "Dir::Cache=$folder/cache" -o APT::Sandbox::User= -o Acquire::Retries=3)
    "${apt[@]}" update
    cd "$folder"
    "${apt[@]}" download libjson-c5 libc6
    for package in *.deb; do
        dpkg-deb -x "$package" root
    done
}

libc_of() { # PATTERN of a .deb, or nothing for this machine's: its version
    if [ $# -eq 1 ]; then
        dpkg-deb -f "$1" Version
    else
        dpkg-query -W -f '${Version}' libc6
    fi
}

over() { # RELEASE PROGRAM...
    local folder=$work/$1 libc libraries
    libraries=$(dirname "$(find "$folder/root" -name 'libjson-c.so.5')")
    libc=$(find "$folder/root" -name 'libc.so.6')
    if dpkg --compare-versions "$(libc_of "$folder"/libc6_*.deb)" gt "$(libc_of)"; then
        "$(find "$folder/root" -name 'ld-linux*.so.*' | head -n 1)" --library-path "$libraries:$(dirname "$libc")" "${@:2}"
    else
        LD_LIBRARY_PATH=$libraries "${@:2}"
    fi
}

for release in bullseye bookworm trixie testing; do
    if ! (download "$release") >"$work/$release.log" 2>&1; then
        skip "json-c of $release" "cannot be downloaded here: $(tail -n 1 "$work/$release.log")"
        continue
    fi
    json_c=$(dpkg-deb -f "$work/$release"/libjson-c5_*.deb Version)
    check "json-c $json_c ($release): the tests" over "$release" "$(program release json-tests)" --color=never
    check "json-c $json_c ($release): without memory" over "$release" "$(program release json-memory)"
done
