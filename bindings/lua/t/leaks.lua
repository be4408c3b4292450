-- SPDX-License-Identifier: MIT
-- Two thousand publications, with everything that a program may do at each: memory and descriptors stay as they are.
--
-- Shows: no promise, but that nothing leaks.

local lu = require("luaunit")
local seqshare = require("resty.seqshare")
local support = require("support")

local ROUNDS = tonumber(os.getenv("SEQSHARE_PUBLICATIONS") or 2000)

local function descriptors()
  return tonumber(support.run("ls /proc/" .. require("ffi").C.getpid() .. "/fd | wc -l"))
end

-- Of Lua, in bytes, and of the process, in pages.
local function memory()
  for _ = 1, 3 do
    collectgarbage()
  end
  return collectgarbage("count") * 1024, tonumber(support.read("/proc/self/statm"):match("^%d+ (%d+)"))
end

local function round(config, mapped, n)
  assert(config:set({ n = n, list = { n, { n }, seqshare.array() }, text = ("x"):rep(n % 1000) }))
  assert(config:get().n == n and mapped:get().list[2][1] == n)
  assert(config:update(function(document)
    document.more = n
    return document
  end))
  assert(config:get().more == n and config:get_bytes() and config:stat() and config:age())
  pcall(config.lock, config, function() error("on purpose") end)
  config:set({ print })
  assert(seqshare.open(config.path)):get()
  seqshare.open(config.path .. ".not")
  if n % 10 == 0 then
    config:set_bytes("bad")
    assert(config:get().n == n and mapped:get().n == n)
  end
  if n % 100 == 0 then
    support.command("replace " .. config.path .. " --size 1M")
  end
end

TestLeaks = {}

function TestLeaks.test_thousands_of_publications()
  local options = { value = { n = 0 }, keep = true, log = function() end }
  local config = assert(seqshare.create(support.folder() .. "/share", 1024 * 1024, options))
  local mapped = assert(seqshare.open(config.path, { mapped = true, log = function() end }))
  for n = 1, 200 do
    round(config, mapped, n)
  end
  local lua, process = memory()
  local open = descriptors()
  for n = 201, 200 + ROUNDS do
    round(config, mapped, n)
  end
  local lua_after, process_after = memory()
  lu.assertTrue(lua_after - lua < 200000, ("Lua's memory grew from %d to %d bytes"):format(lua, lua_after))
  lu.assertTrue(process_after - process < 800, ("the process grew from %d to %d pages"):format(process, process_after))
  lu.assertTrue(descriptors() <= open + 2, "descriptors leak")
end

support.finish()
