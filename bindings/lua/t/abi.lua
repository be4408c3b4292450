-- SPDX-License-Identifier: MIT
-- The generated declarations are those of the headers, and the C compiler lays the structs out alike.
-- SEQSHARE_INCLUDE is the folder of the headers.
--
-- Shows: no promise, but that LuaJIT and C agree.

local ffi = require("ffi")
local lu = require("luaunit")
require("resty.seqshare")
local library = require("resty.seqshare.library")
local support = require("support")

local include = os.getenv("SEQSHARE_INCLUDE") or support.t .. "/../../../include"

TestAbi = {}

function TestAbi.test_the_file_is_what_the_headers_say()
  local made = support.run(support.luajit .. " " .. support.t .. "/../generate.lua " .. include)
  lu.assertIs(made, support.read(support.t .. "/../lib/resty/seqshare/abi.lua"),
    "run luajit generate.lua " .. include .. " >lib/resty/seqshare/abi.lua")
end

local STRUCTS = {
  seqshare_reading = { "bytes", "size", "length", "version", "published", "writer", "tag", "reserved" },
  seqshare_view = { "data", "length", "version" },
  seqshare_stat = { "version", "length", "capacity", "allocated", "created", "published", "retries", "region_id", "tag", "slots",
    "writer", "owner", "owner_alive", "retired", "replaced", "unlinked", "writable", "foreign", "reserved" },
  seqshare_feed_1 = { "version", "revision", "newest", "current", "contact", "state", "stale_ms", "pid", "reserved" },
}
local ERRORS = { "ENOENT", "EINTR", "EBUSY", "EROFS", "EDEADLK", "EIDRM", "ENODATA", "EBADMSG", "ETIMEDOUT", "ESTALE" }
local CONSTANTS = { "SEQSHARE_READ", "SEQSHARE_WRITE", "SEQSHARE_ANY_OWNER", "SEQSHARE_TAG_JSON", "SEQSHARE_TAG_CBOR",
  "SEQSHARE_JSON_WHY_SIZE", "SEQSHARE_FEED_STALE" }

-- Calls what(expression in C, LuaJIT's number).
local function each(what)
  for name, members in pairs(STRUCTS) do
    what("sizeof(struct " .. name .. ")", ffi.sizeof("struct " .. name))
    for _, member in ipairs(members) do
      what(("offsetof(struct %s, %s)"):format(name, member), ffi.offsetof("struct " .. name, member))
    end
  end
  for _, name in ipairs(ERRORS) do
    what(name, library[name])
  end
  for _, name in ipairs(CONSTANTS) do
    what(name, tonumber(ffi.C[name]))
  end
  what("F_GET_SEALS", 1034)
  what("F_SEAL_SHRINK", 2)
  what("CLOCK_MONOTONIC_COARSE", 6)
  what("CLOCK_BOOTTIME", 7)
  what("sizeof(time_t)", ffi.sizeof("long"))
end

function TestAbi.test_the_compiler_agrees()
  local folder = support.folder()
  local file = assert(io.open(folder .. "/abi.c", "w"))
  file:write("#define _GNU_SOURCE\n#include <fcntl.h>\n#include <stdio.h>\n#include <seqshare/feed.h>\n",
    "#include <seqshare/json.h>\nint main(void)\n{\n")
  local wanted = {}
  each(function(expression, number)
    file:write(('    printf("%%lld\\n", (long long)(%s));\n'):format(expression))
    wanted[#wanted + 1] = expression .. " = " .. number
  end)
  file:write("}\n")
  file:close()
  support.run(("cc -I%s -o %s/abi %s/abi.c"):format(include, folder, folder))
  local count = 0
  for number in support.run(folder .. "/abi"):gmatch("(%-?%d+)\n") do
    count = count + 1
    lu.assertIs(wanted[count]:match(".* = (.*)$"), number, wanted[count])
  end
  lu.assertIs(count, #wanted)
end

support.finish()
