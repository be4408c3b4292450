-- SPDX-License-Identifier: MIT
-- nginx with its Lua module: four workers under load while values, names, workers and files come and go.
--
-- Shows: READ-2, READ-6, READ-10, NAME-8, JSON-2.

local ffi = require("ffi")
local http = require("socket.http")
local ltn12 = require("ltn12")
local lu = require("luaunit")
local cjson = require("cjson")
local seqshare = require("resty.seqshare")
local socket = require("socket")
local support = require("support")

local MODULES = os.getenv("NGINX_MODULES") or "/usr/lib/nginx/modules"
local is_root = ffi.C.getpid() > 0 and support.run("id -u") == "0\n"
local PUBLICATIONS = tonumber(os.getenv("SEQSHARE_PUBLICATIONS") or 2000)
local OWNER = is_root and "user root;" or "" -- for workers that write
http.TIMEOUT = 60

-- ---- a server of the test's own ----------------------------------------------------------------

local Server = {}
Server.__index = Server
local servers = {}

function Server:ask(page, body)
  local parts = {}
  local _, status, headers = http.request({ url = "http://127.0.0.1:" .. self.port .. page, method = body and "PUT" or "GET",
    source = body and ltn12.source.string(body), headers = body and { ["content-length"] = #body },
    sink = ltn12.sink.table(parts) })
  return status, table.concat(parts), headers
end

function Server:nginx(arguments)
  return support.run(("$(command -v nginx) -p %s -c %s/nginx.conf %s"):format(self.folder, self.folder, arguments))
end

function Server:log()
  return support.read(self.folder .. "/error.log")
end

-- How often the log has a text.
function Server:count(text)
  local _, count = self:log():gsub(text:gsub("%p", "%%%0"), "")
  return count
end

function Server:workers()
  local pids = {}
  for pid in support.run("pgrep -P " .. self.pid .. " || true"):gmatch("%d+") do
    pids[#pids + 1] = tonumber(pid)
  end
  table.sort(pids)
  return pids
end

-- Waits until all workers of now say the same number: that one.
function Server:all_say(n)
  local said = {}
  support.await("all workers saying " .. n, function()
    local status, text = self:ask("/n")
    local pid, number = tostring(text):match("^(%d+) (%d+)\n$")
    said[tonumber(pid) or 0] = status == 200 and tonumber(number)
    for _, worker in ipairs(self:workers()) do
      if said[worker] ~= n then
        return false
      end
    end
    return true
  end)
end

function Server:stop()
  ffi.C.kill(self.pid, 15)
  support.await("the end of nginx", function() return ffi.C.kill(self.pid, 0) ~= 0 end)
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

function Server:make_share(value, mode)
  return assert(seqshare.create(self.path, 8 * 1024 * 1024, { mode = tonumber(mode or "644", 8), value = value }))
end

function Server:read_pid()
  local file = io.open(self.folder .. "/nginx.pid")
  local pid = file and file:read("*n")
  return file and (file:close() and pid)
end

-- Workers of root's become www-data, unless the package or the library lie where only root can go.
local function worker_user()
  local reached = is_root and support.run(("setpriv --reuid www-data --clear-groups sh -c " ..
    "'test -r %s/resty/seqshare.lua -a -x \"${LD_LIBRARY_PATH:-/}\"' && echo yes || true"):format(support.lib)) == "yes\n"
  return reached and "user www-data;" or OWNER
end

-- Starts nginx with a share of its own. `values` are those of nginx.conf.
local function start(values)
  local folder = support.folder()
  support.run("chmod 755 " .. folder)
  local self = setmetatable({ folder = folder, port = support.free_port(), path = folder .. "/config" }, Server)
  if not values.absent then
    self.share = self:make_share({ n = 1, only_up = true }, values.mode)
  end
  local all = { MODULES = MODULES, FOLDER = folder, PORT = self.port, LIB = support.lib, CACHE = "on", INIT_WORKER = "", LEAVE = "",
    CLOSED = "config",
    USER = worker_user(), INIT = ("config = assert(seqshare.open(%q))"):format(self.path) }
  for name, value in pairs(values) do
    all[name] = tostring(value):gsub("@PATH@", self.path)
  end
  write(folder .. "/nginx.conf", (support.read(support.t .. "/nginx.conf"):gsub("@(%u[%u_]*)@", all)))
  self:nginx("")
  support.end_with_test(folder .. "/nginx.pid")
  self.pid = support.await("nginx's pid", function() return self:read_pid() end)
  servers[#servers + 1] = self
  support.await("four workers", function() return #self:workers() == 4 end)
  return self
end

-- Loads a page while work() runs; no request may fail. Workers that are killed break connections: `may_break`.
local function under_load(server, work, may_break)
  local output = server.folder .. "/wrk"
  local pid = support.child(function()
    support.run(("wrk -t1 -c16 -d%ds --timeout 60s http://127.0.0.1:%d/n >%s"):format(os.getenv("SEQSHARE_LOAD_SECONDS") or 2, server.port, output))
  end)
  local status
  repeat -- all of the time
    work()
    status = support.is_over(pid)
  until status
  local said = support.read(output)
  lu.assertIs(status, 0, said)
  lu.assertNotNil(said:match("(%d+) requests in"), said)
  lu.assertNil(said:match("Non%-2xx[^\n]*"), said .. server:log():sub(-2000))
  if not may_break then
    lu.assertNil(said:match("Socket errors[^\n]*"), said)
  end
end

-- ---- tests -------------------------------------------------------------------------------------

TestNginx = {}

function TestNginx.tearDown()
  for _, server in ipairs(servers) do
    server:stop()
  end
  servers = {}
end

-- All workers' memory, in pages, and descriptors but for those of connections.
local function resources(server)
  local pages, descriptors = 0, 0
  for _, pid in ipairs(server:workers()) do
    pages = pages + support.read("/proc/" .. pid .. "/statm"):match("^%d+ (%d+)")
    descriptors = descriptors + support.run("ls -l /proc/" .. pid .. "/fd | grep -vc socket:")
  end
  return pages, descriptors
end

function TestNginx.test_thousands_of_changes_under_load()
  local server, n = start({}), 1
  local function change(last)
    repeat
      under_load(server, function()
        n = n + 1
        assert(server.share:set({ n = n, only_up = true, list = { n, { n }, seqshare.array() } }))
        if n % 20 == 0 then
          socket.sleep(0.001)
        end
      end)
    until n > last
  end
  change(PUBLICATIONS) -- collectors and compilers of the workers have what they want
  local pages, descriptors = resources(server)
  change(n + PUBLICATIONS)
  server:all_say(n)
  lu.assertIs(server:count("went back"), 0)
  local errors = {}
  for line in server:log():gmatch("[^\n]*%[error%][^\n]*") do
    errors[#errors + 1] = line
  end
  lu.assertEquals(errors, {})
  local pages_after, descriptors_after = resources(server)
  lu.assertTrue(pages_after - pages < 4 * 1000, ("the workers grew from %d to %d pages"):format(pages, pages_after))
  lu.assertTrue(descriptors_after <= descriptors + 4, "descriptors leak")
end

function TestNginx.test_reloads_kills_and_moves_under_load()
  local server, n = start({}), 1
  under_load(server, function()
    n = n + 1
    assert(server.share:set({ n = n, only_up = true }))
    if n % 4 == 0 then
      server:nginx("-s reload")
    elseif n % 4 == 1 then
      local worker = server:workers()[1]
      if worker then
        ffi.C.kill(worker, support.SIGKILL) -- or it is one that a reload has just ended
      end
    elseif n % 4 == 2 then
      support.command("replace " .. server.path .. " --size " .. 4 + n % 5 .. "M")
    else
      os.remove(server.path) -- and made again, with versions from 1
      assert(server:make_share({ n = n, only_up = true }))
    end
    socket.sleep(0.1)
  end, true)
  server:all_say(n)
  lu.assertIs(server:count("went back"), 0)
end

-- USR2: another master, with workers of its own, takes the sockets over.
function TestNginx.test_a_new_binary_under_load()
  local server, n, old = start({}), 1, nil
  under_load(server, function()
    n = n + 1
    assert(server.share:set({ n = n, only_up = true }))
    if not old then
      old = server.pid
      support.kill(old, 12)
      server.pid = support.await("the new master", function()
        local pid = server:read_pid()
        return pid and pid ~= old and pid
      end)
      support.kill(old, 3)
    end
    socket.sleep(0.01)
  end, true) -- the old workers close connections that are idle
  support.await("the end of the old master", function() return ffi.C.kill(old, 0) ~= 0 end)
  server:all_say(n)
  lu.assertIs(server:count("went back"), 0)
end

-- A worker that is born, or a whole generation of them, while the value is bad has the last good one.
function TestNginx.test_all_workers_agree_while_a_value_is_bad()
  local server = start({})
  assert(server.share:set({ n = 2 }))
  server:all_say(2)
  assert(server.share:set({ n = 3 }))
  lu.assertStrContains(select(2, server:ask("/n")), " 3\n") -- one worker has it; others perhaps not
  support.force(server.path, "{")
  server:all_say(3)
  lu.assertIs(server:count("is not used, the last good one stays"), 4) -- one line a worker
  for _, pid in ipairs(server:workers()) do
    support.kill(pid)
  end
  support.await("new workers", function() return #server:workers() == 4 end)
  server:all_say(3)
  local before = server:workers()
  server:nginx("-s reload")
  support.await("workers of the new configuration", function()
    local now = server:workers()
    return #now == 4 and now[1] ~= before[1] and now[4] ~= before[4]
  end)
  server:all_say(3)
  assert(server.share:set({ n = 5 }))
  server:all_say(5)
end

function TestNginx.test_a_file_that_is_cut_ends_no_worker()
  local server = start({})
  server:all_say(1)
  local before = server:workers()
  local text = support.read("/proc/self/maps")
  under_load(server, function() -- cut, and then overwritten by something else
    lu.assertIs(ffi.C.truncate(server.path, 0), 0)
    socket.sleep(0.05)
    write(server.path, text)
    socket.sleep(0.05)
  end)
  lu.assertEquals(server:workers(), before)
  os.remove(server.path)
  assert(seqshare.create(server.path, 1000, { mode = tonumber("644", 8), value = { n = 9 } }))
  server:all_say(9)
  lu.assertEquals(server:workers(), before)
  lu.assertIs(server:count("exited on signal"), 0)
  local lines = server:count("the last good document stays")
  lu.assertTrue(lines >= 4 and lines <= 16, server:log()) -- a line a worker, for each trouble of the name or the value
end

function TestNginx.test_cosockets_are_untouched()
  local server = start({})
  for n = 2, 60 do
    assert(server.share:set({ n = n }))
    local status, text = server:ask("/cosocket")
    lu.assertEquals({ status, text }, { 200, n .. " " .. n .. "\n" })
  end
end

-- A handler that wants the lock sleeps, and its worker serves others meanwhile.
function TestNginx.test_a_lock_that_is_taken_blocks_no_worker()
  local server = start({ INIT = "config = assert(seqshare.open('@PATH@', { write = true }))", USER = OWNER })
  local answer
  server.share:lock(function()
    local pid = support.child(function()
      local status, text = server:ask("/set", '{"n":5}')
      lu.assertEquals({ status, text }, { 200, "2\n" })
    end)
    for _ = 1, 200 do
      lu.assertIs(server:ask("/n"), 200)
    end
    answer = pid
  end)
  lu.assertIs(support.reap(answer), 0)
  server:all_say(5)
  lu.assertIs(server:ask("/set", '{"n":'), 400)
  lu.assertStrContains(select(2, server:ask("/set", '{"n":')), "not JSON")
  lu.assertIs(server:ask("/set", cjson.encode({ n = 6, text = ("x"):rep(5000000) })), 200)
  server:all_say(6)
end

function TestNginx.test_nobody_leaves_with_the_lock()
  for _, leave in ipairs({ "ngx.sleep(0.01)", "ngx.exit(200)", "coroutine.yield()", "ngx.socket.tcp():connect('127.0.0.1', 1)" }) do
    local server = start({ INIT = "config = assert(seqshare.open('@PATH@', { write = true }))", USER = OWNER, LEAVE = leave })
    for _ = 1, 8 do
      server:ask("/leave")
    end
    lu.assertIs(server.share:lock(function() return "free" end, 10), "free", leave)
    lu.assertIs(server:ask("/n"), 200)
    lu.assertIs(server:count("exited on signal"), 0, leave)
    server:stop()
    servers = {}
  end
end

function TestNginx.test_closed_while_a_handler_sleeps()
  local server = start({ USER = OWNER, INIT = [[
    config = assert(seqshare.open("@PATH@", { write = true }))
    local ffi = require("ffi")
    ffi.cdef("int open(const char *path, int flags, ...); int close(int fd);")
    function without_name()
      local fd = ffi.C.open("@PATH@", 2)
      local share = assert(seqshare.attach(fd, { write = true, any_owner = true }))
      ffi.C.close(fd)
      return share
    end
  ]], CLOSED = "without_name()" })
  server.share:lock(function()
    for _, call in ipairs({ "set", "wait", "set" }) do
      local _, text = server:ask("/close?call=" .. call)
      lu.assertStrContains(text, "false seqshare: descriptor")
      lu.assertStrContains(text, "is closed")
    end
  end)
  lu.assertIs(server:count("exited on signal"), 0)
  server:all_say(1)
end

function TestNginx.test_every_phase()
  local server = start({ INIT = "config = assert(seqshare.open('@PATH@', { write = true }))", USER = OWNER })
  local status, text, headers = server:ask("/phases")
  lu.assertEquals({ status, text, headers["x-n"] }, { 200, "1 1\n", "1" })
  lu.assertStrContains(headers["x-wait"], "cannot wait in the phase header_filter")
  server.share:lock(function()
    lu.assertStrContains(select(3, server:ask("/phases"))["x-set"], "lock is taken")
  end)
end

function TestNginx.test_opened_in_the_worker_or_by_each_request()
  local server = start({ INIT = "", INIT_WORKER = "config = assert(seqshare.open('@PATH@'))" })
  server:all_say(1)
  assert(server.share:set({ n = 2 }))
  server:all_say(2)
  server = start({ CACHE = "off" }) -- a new Lua state for each request
  for n = 2, 40 do
    assert(server.share:set({ n = n, only_up = true }))
    lu.assertStrContains(select(2, server:ask("/n")), " " .. n .. "\n")
  end
end

function TestNginx.test_not_there_at_start()
  local server = start({ absent = true, INIT = "config = assert(seqshare.open('@PATH@', { optional = true }))" })
  lu.assertIs(server:ask("/n"), 503)
  assert(seqshare.create(server.path, 1000, { mode = tonumber("644", 8), value = { n = 4 } }))
  server:all_say(4)
end

-- The master opened it; the workers may not.
function TestNginx.test_a_file_that_workers_may_not_open()
  if worker_user() == OWNER then
    lu.skip("needs root, and a folder that www-data can reach")
  end
  local server = start({ mode = "600" })
  for n = 2, 5 do
    assert(server.share:set({ n = n }))
    server:all_say(n)
  end
  support.await("a line in the log", function()
    return server:ask("/n") and server:count("the name cannot be followed: the permissions") > 0
  end)
end

support.finish()
