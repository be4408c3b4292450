-- SPDX-License-Identifier: MIT
-- The last good document of a share, in memory that nginx's master makes and all workers inherit. The worker that finds
-- a new document keeps it here. So all workers use the same one, also those that are born while the share's value is
-- bad. Nobody can cut this memory: it may be read where it is mapped.
--
-- A reload reads the configuration in a new Lua state of the same master. That finds the memory of the old one among
-- the process's descriptors, by the share's name.

local ffi = require("ffi")
local library = require("resty.seqshare.library")

local C = library.seqshare
local M = {}

local TAG = library.tag("lua.last_good")
local ROOM = 64 * 1024 * 1024 -- at least: a share may be replaced by a larger one; costs nothing until it is used
local PATIENCE = 1000000 -- ns: a worker that is stopped while it keeps a document does not stop the others

ffi.cdef([=[
struct seqshare_lua_origin { uint8_t region[16]; uint64_t version; int64_t published; uint32_t name_length, reserved; };
]=])

local box = ffi.new("seqshare *[1]")
local origin = ffi.new("struct seqshare_lua_origin")
local stat = ffi.new("seqshare_stat")
local reading = ffi.new("seqshare_reading")
local view = ffi.new("seqshare_view")

-- ---- what is kept ------------------------------------------------------------------------------

local function pack(name, text)
  origin.name_length = #name
  return ffi.string(origin, ffi.sizeof(origin)) .. name .. text
end

-- What a handle has, with its own version; nil: no last good document.
local function read(handle)
  reading.bytes = nil
  if C.seqshare_read(handle, reading) < 0 then
    return nil
  end
  local bytes, at = library.take_bytes(reading.bytes, tonumber(reading.length)), ffi.sizeof(origin)
  if reading.tag ~= TAG or #bytes < at then
    return nil
  end
  ffi.copy(origin, bytes, at)
  local length = origin.name_length
  return { name = bytes:sub(at + 1, at + length), text = bytes:sub(at + length + 1), kept = tonumber(reading.version),
    region = ffi.string(origin.region, 16), version = tonumber(origin.version), published = tonumber(origin.published) }
end

-- ---- making it, in the master ------------------------------------------------------------------

local path = ffi.new("char[64]")

local function is_of_seqshare(fd)
  local length = ffi.C.seqshare_lua_readlink("/proc/self/fd/" .. fd, path, 64)
  return length > 0 and ffi.string(path, tonumber(length)):find("^/memfd:seqshare") ~= nil
end

local function find(name)
  for fd = 3, 1023 do
    if is_of_seqshare(fd) and C.seqshare_attach(box, fd, C.SEQSHARE_WRITE) == 0 then
      local handle = library.own(box[0])
      local found = read(handle)
      if found and found.name == name then
        return handle
      end
      library.close(handle)
    end
  end
end

local function make(name, capacity)
  local code = C.seqshare_new(box, math.max(capacity, ROOM) + ffi.sizeof(origin) + #name)
  if code < 0 then
    return nil, code
  end
  local handle = library.own(box[0])
  ffi.fill(origin, ffi.sizeof(origin))
  local first = pack(name, "")
  code = C.seqshare_set_typed(handle, first, #first, TAG)
  return code == 0 and handle or nil, code
end

-- The memory for a share's last good document; or nil, and an error.
function M.new(name, capacity)
  local handle, code = find(name)
  if not handle then
    handle, code = make(name, capacity)
  end
  return handle and { handle = handle, seen = 0 }, code
end

-- ---- in a worker -------------------------------------------------------------------------------

-- What another worker has kept since the last look; nil: nothing.
function M.take(self)
  local good = self.good
  if tonumber(C.seqshare_version(good.handle)) == good.seen then
    return nil
  end
  local found = read(good.handle)
  if not found then
    return nil
  end
  good.seen = found.kept
  if found.version == 0 or library.why_not_json(found.text) then
    return nil
  end
  return found
end

-- Under the lock: the origin of what is kept, in `origin`. No memory is needed, so no error leaves the lock taken.
local function peek(handle)
  if C.seqshare_peek(handle, view) < 0 or view.length < ffi.sizeof(origin) then
    return false
  end
  ffi.copy(origin, view.data, ffi.sizeof(origin))
  return true
end

-- Should this worker's document replace what is kept? While it was read and decoded, another worker may have kept one
-- that was published after it. In one region the version tells; otherwise the share's current value does.
local function is_newer(self, handle)
  if not peek(handle) or origin.version == 0 then
    return true
  elseif ffi.string(origin.region, 16) == self.region then
    return self.version_used > tonumber(origin.version)
  end
  return C.seqshare_pstat(self.handle, stat) == 0 and ffi.string(stat.region_id, 16) == self.region and
    tonumber(stat.version) == self.version_used
end

-- Keeps the document that is in use, of that text. Returns 0, or an error.
function M.keep(self, text)
  local good = self.good
  ffi.copy(origin.region, self.region, 16)
  origin.version, origin.published = self.version_used, self.published
  local value = pack(self.path, text)
  local code = C.seqshare_lock_for(good.handle, PATIENCE)
  if code < 0 then
    return code
  end
  code = 0
  if is_newer(self, good.handle) then
    code = C.seqshare_set_typed(good.handle, value, #value, TAG)
    good.seen = code == 0 and tonumber(C.seqshare_version(good.handle)) or good.seen
  end
  C.seqshare_unlock(good.handle)
  return code
end

return M
