#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: each example does what its README shows, with real servers; what the pages quote of them is true
# tier: quick
# budget: 120
# quick budget: 8
# quick leaves out: all examples but three in C and C++; containers
# long budget: 900
# lane: waits
# Shows: no promise, but examples/ and the pages that quote it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/examples
rm -rf "$work"
mkdir -p "$work"
installed=$work/installed
export SERVER_MODULES=$work/modules PATH=$installed/bin:$PATH:/usr/sbin LD_LIBRARY_PATH=$installed/lib
export PKG_CONFIG_PATH=$installed/lib/pkgconfig PERL5LIB=$installed/perl LUA_PATH="$installed/lua/?.lua;;"
export PYTHONPATH=$installed/python PYTHONDONTWRITEBYTECODE=1 RUBYLIB=$installed/ruby PHP_INI_SCAN_DIR=:$installed/php

examples=(flag/{c,perl,python,flask,django,ruby} limits/{c,cpp,python} routes/{c,cpp,perl,python}
    update/{c,cpp,shell,perl,python,lua,php,ruby} wait/{c,shell,perl,python,lua,php,ruby} feed/{etcd,c,python})
of_root=(flag/{httpd,nginx,lua,php} routes/nginx update/{httpd,nginx}) # their servers' children become another user
recipes=(kubernetes compose publisher)
source ./parts.sh
check "what pages quote is in the files" ./quotes.py "$SEQSHARE_SOURCE"
if is_quick; then
    check "the libraries are installed" install_release "$installed"
    examples=(limits/c limits/cpp update/c) of_root=() recipes=()
else
    check "a quotation that is false is noticed" false_quote_is_noticed
    check "each folder is in the table, and is run" every_folder_is_an_example
    check "the examples in C and C++ compile without a warning" build_preset release examples
    check "libraries, command and feed are installed" install_all
    for language in perl python httpd nginx lua php ruby; do
        check "the binding for $language is installed" install_$language
    done
fi
if ! can_sandbox; then
    skip "examples" "needs namespaces of its own: be root, or allow user namespaces" && finish
fi
check "a session that is false is noticed" false_session_is_noticed
if is_quick || [ "$(id -u)" -eq 0 ]; then
    examples+=("${of_root[@]}")
else
    skip "${of_root[*]} ${recipes[*]}" "needs root, because processes become another user"
    recipes=()
fi
follow_readmes "${examples[@]}"
for example in "${examples[@]}"; do
    check "$example does what its README shows" did_as_it_says "$example"
done
for recipe in "${recipes[@]}"; do
    check "containers: $recipe" in_containers "$recipe"
done
[ -z "${SEQSHARE_LONG:-}" ] || source ./long.sh
finish
