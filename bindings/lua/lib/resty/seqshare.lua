-- SPDX-License-Identifier: MIT
-- Shares hot configuration between nginx's workers, and between all processes of a machine. README.md has the whole.
--
--     local config = assert(require("resty.seqshare").open("shop"))
--     if config:get().flags.dark then ...

local library = require("resty.seqshare.library") -- first: it says so if this Lua is not LuaJIT
local ffi = require("ffi")
local document = require("resty.seqshare.document")
local feed = require("resty.seqshare.feed")
local last_good = require("resty.seqshare.last_good")
local reader = require("resty.seqshare.reader")
local wait = require("resty.seqshare.wait")
local writer = require("resty.seqshare.writer")

local C = library.seqshare
local check, failure = library.check, library.failure

local M = {
  _VERSION = "0.1.0",
  null = document.null,
  array = document.array,
  array_mt = document.array_mt,
  is_array = document.is_array,
  copy = document.copy,
  ENOENT = library.ENOENT, EBUSY = library.EBUSY, EROFS = library.EROFS, ENODATA = library.ENODATA,
  EBADMSG = library.EBADMSG, ETIMEDOUT = library.ETIMEDOUT, ESTALE = library.ESTALE,
}
local Share = {}
local methods = { __index = Share, __name = "seqshare" }

local box = ffi.new("seqshare *[1]")
local first = ffi.new("seqshare_reading")

-- ---- arguments ---------------------------------------------------------------------------------

local OPTIONS = { write = "boolean", mapped = "boolean", any_owner = "boolean", keep = "boolean", optional = "boolean",
  slots = "number", mode = "number", log = "function" }

local function is_natural(value)
  return type(value) == "number" and value >= 0 and value < 2 ^ 53 and value % 1 == 0
end

-- The options, if each is one of those that are allowed.
local function read_options(options, allowed)
  check(options == nil or type(options) == "table", "the options must be a table", 1)
  for name, value in pairs(options or {}) do
    check(type(name) == "string" and name:find("^[%a_]+$") and (" " .. allowed .. " "):find(" " .. name .. " ", 1, true),
      "there is no option " .. tostring(name) .. " here: " .. allowed, 1)
    check(OPTIONS[name] == nil or type(value) == OPTIONS[name], "the option " .. name .. " must be a " .. tostring(OPTIONS[name]), 1)
    check(OPTIONS[name] ~= "number" or is_natural(value) and value < 2 ^ 32, "the option " .. name .. " must be a whole number", 1)
  end
  return options or {}
end

local function check_name(name)
  check(type(name) == "string" and #name > 0 and not name:find("%z"), "the name must be a string, not empty and without a zero character", 1)
end

local function check_seconds(seconds)
  check(seconds == nil or (type(seconds) == "number" and seconds >= 0 and seconds < 1e9), "the seconds must be a number of at most 1e9", 1)
end

-- ---- JSON --------------------------------------------------------------------------------------

-- Plain tables of JSON text, whose arrays are marked; or nil, a sentence, and the errno.
function M.decode(text)
  check(type(text) == "string", "the text must be a string")
  local why = library.why_not_json(text)
  if why then
    return nil, why, library.EBADMSG
  end
  return document.decode_plain(text)
end

-- JSON text of a document, or of a value that set takes; or nil, a sentence, and the errno.
function M.encode(value)
  local text, why = document.encode(value)
  if not text then
    return nil, why, library.EBADMSG
  end
  return text
end

-- ---- making a share ----------------------------------------------------------------------------

local function is_open(self)
  check(not self.is_closed, self.name .. " is closed", 1)
end

local function new_share(name, options)
  return setmetatable({
    name = name, is_closed = false, may_write = options.write or false, access = C.SEQSHARE_READ,
    report = options.log or library.report,
    is_mapped = false, is_current = reader.is_current_by_pread, has_document = false,
    moved = 0, decoded = 0, failed = 0, failed_version = 0, follow_error = 0,
    next_look = 0, next_word = 0, next_try = 0, troubles = {}, calls = 1, period = 1, asked_clock = 0,
  }, methods)
end

local function read_where_mapped(self)
  self.is_mapped, self.is_current = true, reader.is_current_by_mapping
end

-- In nginx's master, whose workers inherit the memory. They can do without it.
local function keep_last_good(self, options)
  if options.keep == nil and library.phase() ~= "init" or options.keep == false then
    return
  end
  local good, code = last_good.new(self.path, self.handle and tonumber(C.seqshare_capacity(self.handle)) or 0)
  self.good = good
  if not good then
    self.report(("%s: processes that start later cannot have the last good document: %s"):format(self.name, library.words(code)))
  end
end

-- A share by its name, or its path. Options: write, mapped, any_owner, optional, keep, log.
function M.open(name, options)
  check_name(name)
  options = read_options(options, "write mapped any_owner optional keep log")
  local self = new_share(name, options)
  self.path = name
  self.access = C.SEQSHARE_READ + (options.any_owner and C.SEQSHARE_ANY_OWNER or 0)
  if options.mapped then
    read_where_mapped(self)
  end
  local code = reader.begin(self)
  if code < 0 and not options.optional then
    return failure(name, code)
  end
  keep_last_good(self, options)
  return self
end

local function own_share(name, options)
  local self = new_share(name, options)
  self.handle = library.own(box[0])
  self.descriptor = library.descriptor(self.handle)
  return self
end

-- Nobody can cut the memory of an anonymous share.
function M.new(capacity, options)
  check(is_natural(capacity), "the capacity must be a number of bytes")
  options = read_options(options, "slots log")
  local code = C.seqshare_new_slots(box, capacity, options.slots or 2)
  if code < 0 then
    return failure("an anonymous share", code)
  end
  local self = own_share("an anonymous share", { write = true, log = options.log })
  read_where_mapped(self)
  return self
end

local F_GET_SEALS, F_SEAL_SHRINK = 1034, 2

local function can_be_cut(fd)
  local seals = ffi.C.seqshare_lua_fcntl(fd, F_GET_SEALS)
  return seals < 0 or math.floor(seals / F_SEAL_SHRINK) % 2 == 0
end

-- The share behind a descriptor, which stays the caller's. Options: write, mapped, any_owner, log.
function M.attach(fd, options)
  check(is_natural(fd) and fd < 2 ^ 31, "the descriptor must be a number")
  options = read_options(options, "write mapped any_owner log")
  local access = (options.write and C.SEQSHARE_WRITE or C.SEQSHARE_READ) + (options.any_owner and C.SEQSHARE_ANY_OWNER or 0)
  local code = C.seqshare_attach(box, fd, access)
  if code < 0 then
    return failure("descriptor " .. fd, code)
  end
  local self = own_share("descriptor " .. fd, options)
  if options.mapped or not can_be_cut(fd) then
    read_where_mapped(self)
  end
  return self
end

-- Makes a share with a name, and opens it. Options: value, mode, and those of open.
function M.create(name, capacity, options)
  check_name(name)
  check(is_natural(capacity), "the capacity must be a number of bytes")
  options = read_options(options, "value mode write mapped any_owner keep log")
  local text, why
  if options.value ~= nil then
    text, why = document.encode(options.value)
    if not text then
      return failure(name, -library.EBADMSG, why)
    end
    first.bytes, first.length, first.tag = ffi.cast("void *", text), #text, C.SEQSHARE_TAG_JSON
  end
  local code = C.seqshare_create_with(box, name, capacity, options.mode or tonumber("600", 8), text and first or nil)
  if code < 0 then
    return failure(name, code)
  end
  library.close(library.own(box[0]))
  return M.open(name, { write = options.write ~= false, mapped = options.mapped, any_owner = options.any_owner,
    keep = options.keep, log = options.log })
end

-- ---- reading -----------------------------------------------------------------------------------

local function no_document(self)
  if self.trouble then
    return failure(self.name, -library.EBADMSG, self.trouble)
  end
  return failure(self.name, self.handle and -library.ENODATA or -library.ENOENT)
end

-- The newest document, read-only; or the last good one. nil, a sentence, and the errno: there has been none.
function Share:get()
  if not self.is_current(self) then
    is_open(self)
    reader.refresh(self)
  end
  if self.has_document then
    return self.document
  end
  return no_document(self)
end

-- The current value as it is, its version, and its type tag.
function Share:get_bytes()
  is_open(self)
  local bytes, version, tag = reader.read_bytes(self)
  if not bytes then
    return failure(self.name, version)
  end
  return bytes, version, tag
end

-- The version of the current value; 0: nothing has been published.
function Share:version()
  is_open(self)
  local version, code = reader.version(self)
  if not version then
    return failure(self.name, code)
  end
  return version
end

-- Seconds since the document in use was published, or with a feed since it was known to be the source's.
function Share:age()
  local value, why, errno = self:get()
  if value == nil then
    return nil, why, errno
  end
  return feed.age(self) or math.max(0, library.wall_time() - self.published / 1e9)
end

-- ---- writing -----------------------------------------------------------------------------------

-- Publishes a document: tables, strings, numbers, booleans, seqshare.null. Returns the new version.
function Share:set(value)
  is_open(self)
  return writer.publish_document(self, value)
end

-- The same, only over that version (0: nothing published yet).
function Share:set_if(version, value)
  is_open(self)
  check(is_natural(version), "the version must be a number")
  return writer.publish_document(self, value, version)
end

-- Publishes JSON text, if it is a document.
function Share:set_json(text)
  is_open(self)
  check(type(text) == "string", "the text must be a string")
  local why = library.why_not_json(text)
  if why then
    return failure(self.name, -library.EBADMSG, why)
  end
  return writer.publish(self, text, C.SEQSHARE_TAG_JSON)
end

-- Publishes bytes as they are, of a type's tag (0: untyped).
function Share:set_bytes(bytes, tag)
  is_open(self)
  check(type(bytes) == "string", "the bytes must be a string")
  check(tag == nil or (is_natural(tag) and tag < 2 ^ 32), "the tag must be a number of 32 bits")
  return writer.publish(self, bytes, tag or 0)
end

function Share:update(change, seconds)
  is_open(self)
  check(type(change) == "function", "update takes a function")
  check_seconds(seconds)
  return writer.update(self, change, seconds)
end

function Share:lock(work, seconds)
  is_open(self)
  check(type(work) == "function", "lock takes a function")
  check_seconds(seconds)
  return writer.lock(self, work, seconds)
end

function Share:drop_write()
  is_open(self)
  return writer.drop_write(self)
end

-- ---- the rest ----------------------------------------------------------------------------------

-- Sleeps until the version is not `seen` (default: that of the document in use). Returns the version.
function Share:wait(seen, seconds)
  is_open(self)
  check(seen == nil or is_natural(seen), "the version must be a number")
  check_seconds(seconds)
  check(not library.ngx or library.can_sleep(), "a handler cannot wait in the phase " .. library.phase() .. " of nginx: use a timer")
  return wait.wait(self, seen or self.seen or 0, seconds)
end

local FACTS = { "version", "length", "capacity", "allocated", "created", "published", "tag", "slots", "writer", "owner" }
local FLAGS = { "owner_alive", "retired", "replaced", "unlinked" }

-- What is known of the region, and of this worker's documents.
function Share:stat()
  is_open(self)
  local found, code = reader.stat(self)
  if not found then
    return failure(self.name, code)
  end
  local facts = { decoded = self.decoded, failed = self.failed, failed_version = self.failed_version, moved = self.moved,
    follow_error = self.follow_error, document_version = self.version_used or 0, is_mapped = self.is_mapped, may_write = self.may_write }
  for _, name in ipairs(FACTS) do
    facts[name] = tonumber(found[name])
  end
  for _, name in ipairs(FLAGS) do
    facts[name] = found[name]
  end
  return facts
end

-- A new descriptor of the region, to read, for seqshare.attach in another process: the caller's to close.
function Share:fd()
  is_open(self)
  local fd = self.handle and C.seqshare_fd(self.handle, C.SEQSHARE_READ) or -library.ENOENT
  if fd < 0 then
    return failure(self.name, fd)
  end
  return fd
end

local function never_current()
  return false
end

-- Documents stay as they are.
function Share:close()
  if self.is_closed then
    return
  end
  check(not self.locked, self.name .. " is locked: close it after lock()")
  self.is_closed, self.is_current = true, never_current
  reader.close(self)
  library.close(self.good and self.good.handle)
  self.good = nil
end

return M
