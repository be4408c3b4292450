-- SPDX-License-Identifier: MIT
-- The C libraries, and what the other files need of the system: errors in words, clocks, nginx's log and its sleep.

local has_ffi, ffi = pcall(require, "ffi")
if not has_ffi then
  error("resty.seqshare needs LuaJIT: this Lua (" .. _VERSION .. ") has no FFI. Run it under nginx's Lua module or luajit")
end

local ngx = rawget(_G, "ngx")

-- The names of the files that programs link with, so that the development files are not needed.
local function load(name)
  local is_there, library = pcall(ffi.load, "lib" .. name .. ".so.0")
  if not is_there then
    error(library .. ": install the library seqshare, with libjson-c-dev there when it is built; then run ldconfig")
  end
  return library
end

local M = { seqshare = load("seqshare"), json = load("seqshare-json"), ngx = ngx }
require("resty.seqshare.abi")

-- Under names of our own: ffi.C has one declaration of a name, and other modules may want another.
ffi.cdef([=[
void seqshare_lua_free(void *memory) __asm__("free");
struct seqshare_lua_time { long seconds, nanoseconds; };
int seqshare_lua_clock(int clock, struct seqshare_lua_time *time) __asm__("clock_gettime");
ssize_t seqshare_lua_readlink(const char *path, char *target, size_t size) __asm__("readlink");
int seqshare_lua_poll(void *descriptors, unsigned long count, int milliseconds) __asm__("poll");
ssize_t seqshare_lua_pread(int fd, void *to, size_t size, int64_t offset) __asm__("pread");
int seqshare_lua_close(int fd) __asm__("close");
struct seqshare_lua_descriptor { int fd; };
int seqshare_lua_fcntl(int fd, int command, ...) __asm__("fcntl");
]=])

-- Linux's, of all processors that both seqshare and OpenResty's Lua run on. t/abi.lua asks the C compiler.
M.ENOENT, M.EINTR, M.EBUSY, M.EROFS, M.EDEADLK = 2, 4, 16, 30, 35
M.EIDRM, M.ENODATA, M.EBADMSG, M.ETIMEDOUT, M.ESTALE = 43, 61, 74, 110, 116

-- ---- errors ------------------------------------------------------------------------------------

-- The library's sentence for an error.
function M.words(code)
  return ffi.string(M.seqshare.seqshare_strerror(code))
end

-- What a function returns when it fails: nil, a sentence, and the errno. `code` is what the library returned.
function M.failure(name, code, words)
  return nil, name .. ": " .. (words or M.words(code)), -tonumber(code)
end

-- A mistake of the program: an exception, at the line that calls the method. `level`: how many functions of ours are
-- between, if there are more.
function M.check(is_right, message, level)
  if not is_right then
    error("seqshare: " .. message, 3 + (level or 0))
  end
end

-- In the background: in nginx's log, else on standard error.
function M.report(text)
  if ngx then
    ngx.log(ngx.ERR, "seqshare ", text)
  else
    io.stderr:write("seqshare ", text, "\n")
  end
end

-- ---- time --------------------------------------------------------------------------------------

local CLOCK_REALTIME, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME = 0, 6, 7
local time = ffi.new("struct seqshare_lua_time")

local function ask(clock)
  ffi.C.seqshare_lua_clock(clock, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) / 1e9
end

-- Seconds since 1970.
function M.wall_time()
  return ask(CLOCK_REALTIME)
end

-- Seconds since the machine started.
function M.boot_time()
  return ask(CLOCK_BOOTTIME)
end

-- Seconds, for moments to look at something. nginx keeps the time of the current turn of its event loop.
if ngx then
  M.now = ngx.now
else
  function M.now()
    return ask(CLOCK_MONOTONIC_COARSE)
  end
end

-- ---- waiting in nginx --------------------------------------------------------------------------

-- The phases in which a handler may sleep, while nginx serves other requests.
local CAN_SLEEP = { rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true }

-- nginx's phase; "outside" without nginx.
function M.phase()
  return ngx and ngx.get_phase() or "outside"
end

function M.can_sleep()
  return CAN_SLEEP[M.phase()] or false
end

-- Sleeps, for a call of a share's method. Another handler may close the share meanwhile, and then it has no handle.
function M.sleep(share, seconds)
  ngx.sleep(seconds)
  if share.is_closed then
    error("seqshare: " .. share.name .. " is closed: another handler did that, while this one slept", 0)
  end
end

-- ---- strings and handles -----------------------------------------------------------------------

-- A handle that the collector closes if nobody else does.
function M.own(handle)
  return ffi.gc(handle, M.seqshare.seqshare_close)
end

function M.close(handle)
  if handle then
    M.seqshare.seqshare_close(ffi.gc(handle, nil))
  end
end

local Descriptor = ffi.metatype("struct seqshare_lua_descriptor", {
  __gc = function(descriptor)
    if descriptor.fd >= 0 then
      ffi.C.seqshare_lua_close(descriptor.fd)
    end
  end,
})

-- A descriptor of a share's file, to read, that the collector closes if nobody else does; nil: there is none.
function M.descriptor(handle)
  local fd = M.seqshare.seqshare_fd(handle, ffi.C.SEQSHARE_READ)
  return fd >= 0 and Descriptor(fd) or nil
end

function M.close_descriptor(descriptor)
  if descriptor then
    ffi.C.seqshare_lua_close(descriptor.fd)
    descriptor.fd = -1
  end
end

-- What malloc gave, as a string.
function M.take_bytes(bytes, length)
  local kept = ffi.gc(bytes, ffi.C.seqshare_lua_free) -- also if there is no memory for the string
  local text = ffi.string(kept, length)
  ffi.C.seqshare_lua_free(ffi.gc(kept, nil))
  return text
end

-- The tag of a serialisation, by its name.
function M.tag(name)
  return M.seqshare.seqshare_tag(name, #name, 0)
end

-- What is wrong with a text, in json.h's words; nil: it is a JSON document.
local why = ffi.new("char[?]", ffi.C.SEQSHARE_JSON_WHY_SIZE)
function M.why_not_json(text)
  if M.json.seqshare_json_check(text, #text, why) ~= 0 then
    return ffi.string(why)
  end
end

return M
