#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# brief: lua-resty-seqshare as luarocks installs it, alone under LuaJIT and in nginx with its Lua module
# tier: quick
# budget: 80
# quick budget: 5
# lane: waits
# quick leaves out: luarocks, most of its tests, nginx, the benchmark
# long budget: 900
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../checks.sh

work=$SEQSHARE_BUILD/lua
rm -rf "$work"
mkdir -p "$work"
package=$SEQSHARE_SOURCE/bindings/lua
source ./parts.sh

check "the library builds and installs" install_release "$work/installed"
if is_quick; then
    LUA_PATH="$package/lib/?.lua;$package/t/?.lua;;" check "values" "$SEQSHARE_LUAJIT" "$package/t/values.lua"
    finish
fi
if [ -n "${SEQSHARE_LONG:-}" ]; then
    export SEQSHARE_PUBLICATIONS=20000 SEQSHARE_ROUNDS=2000000 SEQSHARE_LOAD_SECONDS=20
fi
check "luarocks installs it" install_by_luarocks
check "without LuaJIT, and without the library, it says what is missing" says_what_is_missing
check "luacheck finds nothing" find_faults
check "the declarations are those of the headers" run_test abi
check "values" run_test values
check "processes, locks, names, files that are cut" run_test processes
check "bad input" run_test bad_input
check "two thousand publications leak nothing" run_test leaks
check "nginx, four workers under load" run_test nginx
check "the README's session, as it stands" readme_session
check "the recipes of docs/lua.md" run_test recipes
check "the benchmark runs" benchmark --quick
finish
