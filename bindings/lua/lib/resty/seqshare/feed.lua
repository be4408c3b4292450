-- SPDX-License-Identifier: MIT
-- The age of a value that `seqshare feed` keeps up to date, as the share NAME.feed says it.

local ffi = require("ffi")
local library = require("resty.seqshare.library")

local C = library.seqshare
local M = {}

local NAME = "seqshare_feed_1"
local found = ffi.new("struct seqshare_feed_1")
local box = ffi.new("seqshare *[1]")
local reading = ffi.new("seqshare_reading")
local TAG = C.seqshare_tag(NAME, #NAME, ffi.sizeof(found))

-- Nobody but root and this user may say how old the value is, unless the share itself may be anybody's.
local function open(self)
  if C.seqshare_open(box, self.path .. ".feed", self.access) == 0 then
    return library.own(box[0])
  end
end

-- By pread, as the share itself; the feed may have made its state again.
local function read(self)
  local handle = open(self)
  if not handle then
    return false
  end
  reading.bytes, reading.size = found, ffi.sizeof(found)
  local code = C.seqshare_pread(handle, reading)
  library.close(handle)
  return code == 0 and reading.tag == TAG
end

-- Seconds since the value was last known to be its source's; infinity: never since boot. nil: there is no feed.
function M.age(self)
  if not self.path or not read(self) then
    return nil
  elseif found.current <= 0 then
    return math.huge
  end
  return math.max(0, library.boot_time() - tonumber(found.current) / 1e9)
end

return M
