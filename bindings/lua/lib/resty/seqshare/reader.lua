-- SPDX-License-Identifier: MIT
-- Reads a share: the newest document, decoded once per version, and kept while the current value is not one. Follows
-- the share's name when it moves.
--
-- A file that its owner cuts would kill a process that reads it where it is mapped. So a share with a file is read by
-- pread(2), also to ask for the version, unless it was opened with mapped = true. Nor is such a share moved by
-- seqshare_reopen, which may compare with mapped memory: its name is opened again.

local bit = require("bit")
local ffi = require("ffi")
local document = require("resty.seqshare.document")
local last_good = require("resty.seqshare.last_good")
local library = require("resty.seqshare.library")

local C = library.seqshare
local now = library.now
local M = {}

local CALLS, CALLS_TIME = 64, 0.1 -- as in cache.h: a call in 64 asks the clock, or each one if calls are rare
local MINUTE = 60
local SEQUENCE_AT = 128 -- of the sequence, which is twice the version, or that and one: docs/format.md

local TAG_PERL_JSON = library.tag("perl.JSON") -- what Perl's codec wrote once

local box = ffi.new("seqshare *[1]")
local number = ffi.new("uint64_t[1]")
local stat = ffi.new("seqshare_stat")
local reading = ffi.new("seqshare_reading")

-- The clock may be set back: a moment that is further off than it can be has come, too.
local function has_come(moment, time, most)
  return time >= moment or moment - time > (most or 1)
end

-- ---- what is said in the background ------------------------------------------------------------

-- At most a line a second, whatever a publisher does; the last one is never lost.
local function say(self, text, time)
  if has_come(self.next_word, time) then
    self.next_word, self.unsaid = time + 1, nil
    self.report(self.name .. ": " .. text)
  else
    self.unsaid = text
  end
end

-- Trouble that lasts, or comes again and again: each text once a minute.
local function say_trouble(self, what, code, time)
  local text = what .. ": " .. library.words(code)
  local again = self.troubles[text]
  if not again or has_come(again, time, MINUTE) then
    self.troubles[text] = time + MINUTE
    say(self, text, time)
  end
end

-- ---- the name ----------------------------------------------------------------------------------

-- What the share's name leads to, and `stat` says what that is; or nil, and an error.
local function open_once(self)
  local code = C.seqshare_open(box, self.path, self.access)
  if code < 0 then
    return nil, code
  end
  local handle = library.own(box[0])
  code = C.seqshare_pstat(handle, stat)
  if code == 0 and stat.replaced then -- the file is mounted alone or has a second name; or it was replaced just now
    code = -library.EIDRM
  end
  if code < 0 then
    library.close(handle)
    return nil, code
  end
  return handle, 0
end

local function open_name(self)
  local handle, code = open_once(self)
  if code == -library.EIDRM then
    return open_once(self)
  end
  return handle, code
end

function M.close(self)
  library.close(self.handle)
  library.close_descriptor(self.descriptor)
  self.handle, self.descriptor = nil, nil
end

local function take_handle(self, handle)
  local region = ffi.string(stat.region_id, 16)
  local is_copy = tonumber(stat.version) == self.seen and tonumber(stat.published) ~= self.seen_published
  M.close(self)
  self.handle = handle
  self.descriptor = not self.is_mapped and library.descriptor(handle) or nil
  self.was_retired = self.is_mapped and C.seqshare_retired(handle)
  if region ~= self.region or is_copy then
    self.moved = self.moved + (self.region and 1 or 0)
    self.region, self.seen, self.put_off = region, nil, nil
  end
end

-- Opens the share for the first time.
function M.begin(self)
  local handle, code = open_name(self)
  if handle then
    take_handle(self, handle)
    self.next_look = now() + 1
  end
  return code
end

-- Looks where the name leads now. A name that is gone may come back, and is not reported.
local function follow(self, time)
  local handle, code = open_name(self)
  self.next_look = time + 1
  self.follow_error = code < 0 and -code or 0
  if handle then
    take_handle(self, handle)
  elseif code ~= -library.ENOENT then
    say_trouble(self, "the last good document stays, for the name cannot be followed", code, time)
  end
  return code
end

-- ---- values ------------------------------------------------------------------------------------

-- The version of the current value; or nil, and an error.
local function version_now(self)
  if self.is_mapped then
    return tonumber(C.seqshare_version(self.handle))
  end
  local code = C.seqshare_pversion(self.handle, number)
  if code < 0 then
    return nil, code
  end
  return tonumber(number[0])
end

-- The current value, and `reading` says what belongs to it; or nil, and an error. `locked`: a handle that has the lock,
-- and so a mapping that its owner may touch.
local function read_value(self, locked)
  reading.bytes = nil
  local read = (locked or self.is_mapped) and C.seqshare_read or C.seqshare_pread
  local code = read(locked or self.handle, reading)
  if code < 0 then
    return nil, code
  end
  return library.take_bytes(reading.bytes, tonumber(reading.length)), 0
end

-- What is wrong with a value, for readers of documents; nil: nothing.
local function why_not(text, tag)
  if tag ~= 0 and tag ~= C.SEQSHARE_TAG_JSON and tag ~= TAG_PERL_JSON then
    return ("not JSON: its type tag is %08x"):format(tag)
  end
  return library.why_not_json(text)
end

local function use(self, text, version, published, region)
  self.document = document.decode(text)
  self.has_document = true
  self.version_used, self.published, self.region_used = version, published, region
  self.unkept = nil
  self.decoded = self.decoded + 1
end

local function refuse(self, version, why, time)
  self.failed, self.failed_version, self.trouble = self.failed + 1, version, why
  say(self, ("version %d is not used, %s: %s"):format(version,
    self.has_document and "the last good one stays" or "and there is none before it", why), time)
end

-- A value that could not be read is tried again after a second, or when there is another one.
local function put_off(self, version, code, time)
  self.put_off, self.next_try, self.trouble = version, time + 1, library.words(code)
  say_trouble(self, "the last good document stays, for the share cannot be read", code, time)
end

-- Keeps the document in use for all workers. If another worker is at it and does not come to an end, this one tries once
-- more, at its next look at the name.
local function keep(self, text, time)
  local code = last_good.keep(self, text)
  if code == -library.ETIMEDOUT and not self.unkept then
    self.unkept = text
    return
  end
  self.unkept = nil
  if code < 0 then
    say_trouble(self, "workers that start later may not get this document", code, time)
  end
end

local function take_value(self, text, time)
  local version, published = tonumber(reading.version), tonumber(reading.published)
  local why = why_not(text, reading.tag)
  if not why then
    use(self, text, version, published, self.region)
  end
  self.seen, self.seen_published, self.put_off = version, published, nil
  if why then
    refuse(self, version, why, time)
  elseif self.good then
    keep(self, text, time)
  end
end

local function read_newest(self, time)
  local version, code = version_now(self)
  if not version then
    return put_off(self, self.seen, code, time)
  elseif version == self.seen or (version == self.put_off and not has_come(self.next_try, time)) then
    return
  elseif version == 0 then
    self.seen, self.seen_published = 0, 0
    return
  end
  local text
  text, code = read_value(self)
  if text then
    take_value(self, text, time)
  else
    put_off(self, version, code, time)
  end
end

-- What another worker has kept, if it is newer than what this one has.
local function take_last_good(self)
  local kept = last_good.take(self)
  if not kept then
    return
  end
  if not self.has_document or kept.region ~= self.region_used or kept.version > self.version_used then
    use(self, kept.text, kept.version, kept.published, kept.region)
  end
end

-- ---- looking whether something is new ----------------------------------------------------------

local function is_early(self, time)
  return not self.path or (time < self.next_look and self.next_look - time <= 1)
end

-- Asks the name, if a second has passed or the region has a new mark.
local function look(self, time)
  local is_marked = false
  if self.is_mapped and self.handle then
    is_marked = C.seqshare_retired(self.handle)
    is_marked, self.was_retired = is_marked and not self.was_retired, is_marked
  end
  if self.path and (is_marked or not is_early(self, time)) then
    follow(self, time)
  end
end

-- The slow half of get.
function M.refresh(self)
  local time, unkept = now(), self.unkept
  if self.unsaid and has_come(self.next_word, time) then
    say(self, self.unsaid, time)
  end
  look(self, time)
  if self.handle then
    read_newest(self, time)
  end
  if self.good then
    take_last_good(self)
  end
  if unkept and unkept == self.unkept then
    keep(self, unkept, time)
  end
end

local function has_kept_nothing_new(self)
  return not self.good or tonumber(C.seqshare_version(self.good.handle)) == self.good.seen
end

-- One system call, where seqshare_pversion needs three. Only whether the version is the one that was seen, the caller
-- learns of it: two halves of different moments, or bytes of another file, are at worst another one. -1: no answer.
local function version_at_a_glance(descriptor)
  if ffi.C.seqshare_lua_pread(descriptor.fd, number, 8, SEQUENCE_AT) ~= 8 then
    return -1
  end
  return tonumber(bit.rshift(number[0], 1))
end

-- The quick half, for a share that is read by pread: has nothing moved?
function M.is_current_by_pread(self)
  local descriptor = self.descriptor
  return descriptor and version_at_a_glance(descriptor) == self.seen and is_early(self, now()) and has_kept_nothing_new(self)
end

-- A clock for each call would cost more than the rest.
local function count_down(self)
  local time = now()
  local between = (time - self.asked_clock) / self.period
  local calls = CALLS
  while calls > 1 and between * calls > CALLS_TIME do
    calls = calls / 2
  end
  self.asked_clock, self.period, self.calls = time, calls, calls
  return is_early(self, time)
end

-- The same, for one that is read where it is mapped.
function M.is_current_by_mapping(self)
  local handle = self.handle
  if not handle or tonumber(C.seqshare_version(handle)) ~= self.seen or
    C.seqshare_retired(handle) ~= self.was_retired or not has_kept_nothing_new(self) then
    return false
  end
  self.calls = self.calls - 1
  return self.calls > 0 or count_down(self)
end

-- ---- without decoding --------------------------------------------------------------------------

-- The current value's bytes, its version and its type tag; or nil, and an error.
function M.read_bytes(self)
  if not self.locked then
    look(self, now())
  end
  if not self.handle then
    return nil, -library.ENOENT
  end
  local bytes, code = read_value(self, self.locked)
  if not bytes then
    return nil, code
  end
  return bytes, tonumber(reading.version), reading.tag
end

-- Under the lock: the document as plain tables; nothing has been published: nil. Or nil, and what is wrong.
function M.read_plain(self)
  local text, code = read_value(self, self.locked)
  if not text then
    return nil, code ~= -library.ENODATA and library.words(code) or nil
  end
  local why = why_not(text, reading.tag)
  if why then
    return nil, ("version %d cannot be changed: %s"):format(tonumber(reading.version), why)
  end
  return document.decode_plain(text)
end

function M.version(self)
  look(self, now())
  if not self.handle then
    return nil, -library.ENOENT
  end
  return version_now(self)
end

-- What is known of the region, in `stat`; or an error.
function M.stat(self)
  look(self, now())
  if not self.handle then
    return nil, -library.ENOENT
  end
  local code = C.seqshare_pstat(self.handle, stat)
  return code == 0 and stat or nil, code
end

return M
