-- SPDX-License-Identifier: MIT
-- What the tests need: folders of their own, children that cannot outlive a test, and waiting for events.

local ffi = require("ffi")
local lu = require("luaunit")

ffi.cdef([=[
int fork(void);
int waitpid(int pid, int *status, int options);
int kill(int pid, int signal);
int getpid(void);
int truncate(const char *path, long length);
int prctl(int option, unsigned long value, ...);
int usleep(unsigned microseconds);
void _exit(int status);
]=])

-- Where the tests and the modules are.
local t = arg[0]:match("^(.*)/") or "."

local C = ffi.C
local M = { t = t, luajit = os.getenv("SEQSHARE_LUAJIT") or "luajit",
  lib = os.getenv("SEQSHARE_LUA") or t .. "/../lib", SIGKILL = 9, SIGSTOP = 19, SIGCONT = 18, SIGBUS = 7 }

local SECONDS_TO_HANG = 120
local PR_SET_PDEATHSIG = 1

-- ---- files and commands ------------------------------------------------------------------------

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

-- Runs a command, which must succeed, and returns what it prints.
function M.run(command)
  local pipe = io.popen("(" .. command .. ") 2>&1; echo $?")
  local said, status = pipe:read("*a"):match("^(.-)(%d+)\n$")
  pipe:close()
  lu.assertEquals(status, "0", command .. ": " .. said)
  return said
end

M.read = read

-- A folder of the test's own, in memory. It goes when the program ends.
local folders = {}
function M.folder()
  local folder = M.run("mktemp -d /dev/shm/seqshare-lua.XXXXXX"):gsub("\n", "")
  folders[#folders + 1] = folder
  return folder
end

function M.free_port()
  local listener = assert(require("socket").bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return port
end

function M.command(arguments)
  return M.run((os.getenv("SEQSHARE_COMMAND") or "seqshare") .. " " .. arguments)
end

-- Sets a value past the check of the command.
function M.force(path, bytes)
  local file = assert(io.open(path .. ".forced", "wb"))
  file:write(bytes)
  file:close()
  M.command("set " .. path .. " --force --from " .. path .. ".forced")
end

-- ---- processes ---------------------------------------------------------------------------------

local children = {}

-- Runs work() in a child, which ends with 0, or 1 after an error. Returns its number.
function M.child(work)
  io.stdout:flush()
  local pid = C.fork()
  assert(pid >= 0, "no child")
  if pid == 0 then
    C.prctl(PR_SET_PDEATHSIG, ffi.cast("unsigned long", M.SIGKILL))
    local is_done, why = pcall(work)
    if not is_done then
      io.stderr:write("child: ", tostring(why), "\n")
    end
    C._exit(is_done and 0 or 1)
  end
  children[pid] = true
  return pid
end

function M.kill(pid, signal)
  assert(C.kill(pid, signal or M.SIGKILL) == 0)
end

-- A server, which is a child of nobody here, ends with the test, even if that is killed.
function M.end_with_test(pid_file)
  os.execute(("setsid sh -c 'while kill -0 %d; do sleep 1; done; kill $(cat %s)' </dev/null >/dev/null 2>&1 &")
    :format(C.getpid(), pid_file))
end

-- Is the child over? Its status.
function M.is_over(pid)
  local status = ffi.new("int[1]")
  if C.waitpid(pid, status, 1) ~= pid then
    return nil
  end
  children[pid] = nil
  return math.floor(status[0] / 256)
end

-- Waits until the child is over: its status, or the signal that killed it as a second result.
function M.reap(pid)
  local status = ffi.new("int[1]")
  M.await("the end of a child", function()
    return C.waitpid(pid, status, 1) == pid
  end)
  children[pid] = nil
  local signal = status[0] % 128
  return math.floor(status[0] / 256), signal ~= 0 and signal or nil
end

-- Calls until() until it returns something true, and returns that.
function M.await(what, is_there)
  local deadline = os.time() + SECONDS_TO_HANG
  while os.time() < deadline do
    local found = is_there()
    if found then
      return found
    end
    C.usleep(2000)
  end
  error("waited " .. SECONDS_TO_HANG .. " s for " .. what)
end

local last

-- Calls work() after the tests.
function M.at_end(work)
  last = work
end

-- Runs the tests of the calling file, and ends.
function M.finish()
  local failed = lu.LuaUnit.run("-o", "text")
  if last then
    last()
  end
  for pid in pairs(children) do
    C.kill(pid, M.SIGKILL)
  end
  for _, folder in ipairs(folders) do
    os.execute("rm -rf " .. folder)
  end
  os.exit(failed == 0 and 0 or 1)
end

return M
