-- SPDX-License-Identifier: MIT
-- Lua: lua-resty-seqshare under LuaJIT, whose numbers are doubles.

local seqshare = require("resty.seqshare")

local share = assert(seqshare.open(arg[1], { write = true, log = function() end }))
io.stdout:setvbuf("line")

local function pack(text)
  return (text:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

local function unpack(digits)
  return (digits:gsub("..", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function refuse(word, why)
  return word .. " " .. why:gsub("%s+", " ")
end

local function publish(text)
  local value, why = seqshare.decode(text)
  if value == nil then
    return refuse("refused", why)
  end
  local version
  version, why = share:set(value)
  return version and "ok" or refuse("refused", why)
end

local function snapshot()
  local document, why = share:get()
  if document == nil then
    return refuse("none", why)
  end
  return ("ok %d %s"):format(share:version(), pack(seqshare.encode(document)))
end

print("ready int53 bigint uint64 least float-integer")
for line in io.lines() do
  local word, digits = line:match("^(%a+) ?(.*)$")
  print(word == "publish" and publish(unpack(digits)) or snapshot())
end
