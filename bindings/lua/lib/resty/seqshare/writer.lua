-- SPDX-License-Identifier: MIT
-- Publishes to a share, and takes its lock. A share with a name is opened again for each write: so a write goes where
-- the name leads, and a process that only reads keeps no way to write.
--
-- In nginx nobody waits for the lock in the event loop: a handler sleeps between its attempts, while nginx serves
-- others. Where a handler cannot sleep, a lock that is taken is an error.

local ffi = require("ffi")
local document = require("resty.seqshare.document")
local library = require("resty.seqshare.library")
local reader = require("resty.seqshare.reader")

local C = library.seqshare
local M = {}

local PAUSE, PAUSE_MOST = 0.001, 0.05 -- seconds between two attempts in nginx
local PATIENCE = 5 -- seconds, in nginx, unless the caller says otherwise
local MOVES = 3 -- that a name may make while a write is under way

local box = ffi.new("seqshare *[1]")

-- As library.failure, for an error of this share.
local function fail(self, code)
  local words = code == -library.EROFS and not self.may_write and "this object only reads: open the share with { write = true }" or nil
  return library.failure(self.name, code, words)
end

-- ---- handles -----------------------------------------------------------------------------------

local function borrow(self)
  if not self.may_write then
    return nil, -library.EROFS
  elseif not self.path then
    return self.handle, 0
  end
  local access = self.access - C.SEQSHARE_READ + C.SEQSHARE_WRITE
  local code = C.seqshare_open(box, self.path, access)
  return code == 0 and library.own(box[0]) or nil, code
end

local function give_back(self, handle)
  if self.path then
    library.close(handle)
  end
end

-- ---- the lock ----------------------------------------------------------------------------------

local function try_and_sleep(self, handle, seconds)
  local deadline, pause = library.now() + seconds, PAUSE
  local code = C.seqshare_trylock(handle)
  while code == -library.EBUSY and library.can_sleep() and library.now() < deadline do
    library.sleep(self, pause)
    pause = math.min(2 * pause, PAUSE_MOST)
    code = C.seqshare_trylock(handle)
  end
  return code
end

local function take_lock(self, handle, seconds)
  if library.ngx then
    return try_and_sleep(self, handle, seconds or PATIENCE)
  end
  return C.seqshare_lock_for(handle, seconds and seconds * 1e9 or -1)
end

-- A region without a name loses what is published there. While we have the lock, nobody replaces it.
local function check_name(self, handle)
  local named = self.path and C.seqshare_named(handle) or 1
  return named == 0 and -library.EIDRM or named
end

local function lock_once(self, seconds)
  local handle, code = borrow(self)
  if not handle then
    return nil, code
  end
  code = take_lock(self, handle, seconds)
  if code >= 0 then
    code = check_name(self, handle)
    if code >= 0 then
      return handle, code
    end
    C.seqshare_unlock(handle)
  end
  give_back(self, handle)
  return nil, code
end

-- A handle that has the lock of the region to which the name leads; or nil, and an error.
local function lock(self, seconds)
  local handle, code
  for _ = 1, MOVES do
    handle, code = lock_once(self, seconds)
    if code ~= -library.EIDRM then
      break
    end
  end
  return handle, code
end

local function unlock(self, handle)
  C.seqshare_unlock(handle)
  give_back(self, handle)
  self.next_look = 0 -- the name may lead elsewhere than when this process last read: it sees what it has set
end

-- ---- publishing --------------------------------------------------------------------------------

-- Under the lock. Returns the new version; or nil, an error, and the current version.
local function publish_in(handle, bytes, tag, expected)
  local version = tonumber(C.seqshare_version(handle))
  if expected and version ~= expected then
    return nil, -library.ESTALE, version
  end
  local code = C.seqshare_set_typed(handle, bytes, #bytes, tag)
  if code < 0 then
    return nil, code, version
  end
  return version + 1
end

local function publish(self, bytes, tag, expected)
  if self.locked then
    return publish_in(self.locked, bytes, tag, expected)
  end
  local handle, code = lock(self)
  if not handle then
    return nil, code
  end
  local version, failed, current = publish_in(handle, bytes, tag, expected)
  unlock(self, handle)
  return version, failed, current
end

-- Publishes bytes of a type. Returns the new version; or nil, a sentence, the errno, and the current version.
function M.publish(self, bytes, tag, expected)
  local version, code, current = publish(self, bytes, tag, expected)
  if version then
    return version
  end
  local _, words, errno = fail(self, code)
  return nil, words, errno, current
end

function M.publish_document(self, value, expected)
  local text, why = document.encode(value)
  if not text then
    return library.failure(self.name, -library.EBADMSG, why)
  end
  return M.publish(self, text, C.SEQSHARE_TAG_JSON, expected)
end

-- ---- a function under the lock -----------------------------------------------------------------

local function pack(...)
  return { n = select("#", ...), ... }
end

-- Calls work(self) in the callback of a C function, which no coroutine can leave by a yield: a handler that sleeps or
-- ends (ngx.exit) under the lock would never come back to give it away. Lua raises an error there.
local function call_in_one_go(work, self)
  local results
  string.gsub("x", "x", function()
    results = pack(pcall(work, self))
  end)
  return results
end

-- Calls work(self) under the lock, and returns what it returns; or nil, a sentence, and the errno. An error in it goes
-- on, when the lock is free again.
function M.lock(self, work, seconds)
  if self.locked then
    return fail(self, -library.EDEADLK)
  end
  local handle, code = lock(self, seconds)
  if not handle then
    return fail(self, code)
  end
  self.locked = handle
  local results = call_in_one_go(work, self)
  self.locked = nil
  unlock(self, handle)
  if not results[1] then
    error(results[2], 0)
  end
  return unpack(results, 2, results.n)
end

-- Replaces the document by what change(document) returns: plain tables in, any tables out; nil changes nothing. Returns
-- the version.
function M.update(self, change, seconds)
  return M.lock(self, function()
    local before, why = reader.read_plain(self)
    if why then
      return library.failure(self.name, -library.EBADMSG, why)
    end
    local after = change(before)
    if after == nil then
      return tonumber(C.seqshare_version(self.locked))
    end
    return M.publish_document(self, after)
  end, seconds)
end

-- Gives up writing, for good.
function M.drop_write(self)
  if self.may_write and not self.path then
    local code = C.seqshare_drop_write(self.handle)
    if code < 0 then
      return fail(self, code)
    end
  end
  self.may_write = false
  return true
end

return M
