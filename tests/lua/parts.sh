# SPDX-License-Identifier: MIT
# The steps of the Lua part; sourced by run.sh, which is the list of them.
# shellcheck shell=bash
: "${work:?is set by run.sh}" "${package:?is set by run.sh}"

export LD_LIBRARY_PATH=$work/installed/lib SEQSHARE_COMMAND=$work/installed/bin/seqshare
SEQSHARE_LUAJIT=$(command -v luajit || command -v luajit2)
export SEQSHARE_LUAJIT SEQSHARE_INCLUDE=$work/installed/include

# Into a tree of its own, without the dependencies, which Debian has.
install_by_luarocks() {
    cp -r "$package" "$work/source"
    (cd "$work/source" && luarocks --lua-version 5.1 --tree "$work/tree" make --deps-mode none ./*.rockspec)
    find "$work/tree/share/lua/5.1" -name '*.lua' | sort >"$work/files"
    find "$package/lib" -name '*.lua' | sed "s|$package/lib|$work/tree/share/lua/5.1|" | sort | diff - "$work/files"
}

says_what_is_missing() {
    local lua="local ok, why = pcall(require, 'seqshare'); print(why); os.exit(ok and 1 or 0)"
    LUA_PATH="$work/tree/share/lua/5.1/?.lua" lua5.1 -e "$lua" | grep -F 'needs LuaJIT'
    LUA_PATH="$work/tree/share/lua/5.1/?.lua;;" LD_LIBRARY_PATH=$work "$SEQSHARE_LUAJIT" -e "$lua" | grep -F 'install the library seqshare'
}

find_faults() { # with the package's .luacheckrc
    (cd "$package" && luacheck --quiet .)
}

run_test() { # NAME: t/NAME.lua, with what luarocks installed
    SEQSHARE_LUA=$work/tree/share/lua/5.1 LUA_PATH="$work/tree/share/lua/5.1/?.lua;$package/t/?.lua;;" "$SEQSHARE_LUAJIT" "$package/t/$1.lua"
}

benchmark() { # OPTION...
    LUA_PATH="$work/tree/share/lua/5.1/?.lua;;" "$SEQSHARE_LUAJIT" "$package/benchmark/compare.lua" "$@"
}

# The README's commands, with a share, a port and a folder that nobody else has.
readme_session() {
    local name=lua-readme.$$ port
    port=$(free_port)
    rm -rf "$work/session"
    cp -r "$package" "$work/session"
    sed -i "s/\"shop\"/\"$name\"/; s/8080/$port/" "$work/session/example/nginx.conf"
    [ "$(id -u)" -ne 0 ] || sed -i '/^worker_processes/i user root;' "$work/session/example/nginx.conf"
    sed -n '/^```console$/,/^```$/p' "$package/README.md" | sed -n 's/^\$ //p' |
        sed "s/\bshop\b/$name/; s/:8080/:$port/; s/^curl /curl -s --retry 60 --retry-delay 1 --retry-connrefused /" >"$work/session/commands"
    (cd "$work/session" && PATH="$work/installed/bin:$PATH" bash -eu commands) | tee "$work/session/said"
    grep -x 'light, 100 a second' "$work/session/said"
    grep -x 'dark, 100 a second' "$work/session/said"
}

free_port() {
    "$SEQSHARE_LUAJIT" -e 'local s = require("socket").bind("127.0.0.1", 0); print((select(2, s:getsockname())))'
}
