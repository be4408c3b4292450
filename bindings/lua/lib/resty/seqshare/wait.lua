-- SPDX-License-Identifier: MIT
-- Waits for a version. In nginx a handler sleeps and looks, so that nginx serves others meanwhile.

local ffi = require("ffi")
local library = require("resty.seqshare.library")
local reader = require("resty.seqshare.reader")

local C = library.seqshare
local M = {}

local PAUSE = 0.1 -- seconds between two looks in nginx
local SLICE = 0.5 -- seconds of one sleep elsewhere, after which the name is asked

-- The version, if it is another one, or the share has moved; an error.
local function look(self, seen, moves)
  local version, code = reader.version(self)
  if version and (version ~= seen or self.moved ~= moves) then
    return version
  end
  return nil, code
end

local function sleep_in_nginx(self, _, seconds)
  library.sleep(self, math.min(seconds, PAUSE))
end

-- The publisher wakes it; a signal does, too.
local function sleep_outside(self, seen, seconds)
  seconds = math.min(seconds, SLICE)
  if self.handle then
    C.seqshare_wait(self.handle, seen, seconds * 1e9)
  else
    ffi.C.seqshare_lua_poll(nil, 0, seconds * 1e3)
  end
end

-- Returns the version when it is not `seen`; or nil, a sentence, and the errno.
function M.wait(self, seen, seconds)
  local sleep = library.ngx and sleep_in_nginx or sleep_outside
  local deadline, moves = library.now() + (seconds or math.huge), self.moved
  while true do
    local version, code = look(self, seen, moves)
    if version then
      return version
    elseif code and code ~= -library.ENOENT then
      return library.failure(self.name, code)
    end
    local left = deadline - library.now()
    if left <= 0 then
      return library.failure(self.name, -library.ETIMEDOUT)
    end
    sleep(self, seen, left)
  end
end

return M
