-- SPDX-License-Identifier: MIT
-- luajit benchmark/compare.lua [--quick]: a look at one flag of a document of 5.5 kB in nginx, beside other ways. All
-- contenders run in one worker of one server, in turns, and the best round of each counts: compare the ratios.

local seqshare = require("resty.seqshare")

local is_quick = arg[1] == "--quick"
local ROUNDS, SECONDS = is_quick and 1 or 9, is_quick and 1 or 4
local MODULES = os.getenv("NGINX_MODULES") or "/usr/lib/nginx/modules"
local here = arg[0]:match("^(.*)/") or "."

-- Name, what it is, and how many looks make a round.
local CONTENDERS = {
  { "constant", "a table in each worker: the limit", 1e7 },
  { "mapped", "seqshare, mapped = true", 1e7 },
  { "lrucache", "lua-resty-lrucache: in each worker, not shared", 1e7 },
  { "dict_flag", "lua_shared_dict: one flag, not a document", 1e6 },
  { "seqshare", "seqshare", 2e5 },
  { "dict", "lua_shared_dict and cjson.decode", 5e3 },
  { "file", "a file and cjson.decode", 2e3 },
  { "redis", "Redis, its Unix socket kept open, and cjson.decode", 5e2 },
}

-- ---- a server ----------------------------------------------------------------------------------

local function run(command)
  local pipe = io.popen("(" .. command .. ") 2>&1; echo $?")
  local said, status = pipe:read("*a"):match("^(.-)(%d+)\n$")
  pipe:close()
  assert(status == "0", command .. ": " .. said)
  return said
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

local function document()
  local value = { flags = { dark = true }, limits = { rate = 100 }, routes = {} }
  for i = 1, 60 do
    value.routes[i] = { path = "/service/" .. i, upstream = ("10.0.%d.%d:8080"):format(i % 7, i), weight = i * 3, retries = { 1, 2, i } }
  end
  return value
end

local folder = run("mktemp -d /dev/shm/seqshare-benchmark.XXXXXX"):gsub("\n", "")
local port = 20000 + os.time() % 20000

local function start_redis(text)
  if not pcall(run, "command -v redis-server") then
    return nil
  end
  run(("redis-server --port 0 --unixsocket %s/redis.socket --save '' --dir %s --daemonize yes --pidfile %s/redis.pid"):format(folder, folder, folder))
  write(folder .. "/value", text)
  run(("for i in 1 2 3 4 5 6 7 8 9; do redis-cli -s %s/redis.socket -x set config <%s/value && exit 0; sleep 1; done; exit 1"):format(folder, folder))
end

local function start()
  run("chmod 755 " .. folder)
  local share = assert(seqshare.create(folder .. "/share", 1024 * 1024, { value = document(), mode = tonumber("644", 8) }))
  local text = share:get_bytes()
  write(folder .. "/config.json", text)
  start_redis(text)
  local values = { MODULES = MODULES, FOLDER = folder, PORT = port, USER = run("id -un"):gsub("\n", "") }
  write(folder .. "/nginx.conf", (read(here .. "/nginx.conf"):gsub("@(%u+)@", values)))
  run(("nginx -p %s -c %s/nginx.conf"):format(folder, folder))
  return #text
end

local function stop()
  os.execute(("kill $(cat %s/nginx.pid) $(cat %s/redis.pid); rm -rf %s"):format(folder, folder, folder))
end

local function ask(page)
  return run(("curl -sf --retry 30 --retry-connrefused --retry-delay 1 'http://127.0.0.1:%d%s'"):format(port, page))
end

-- ---- measuring ---------------------------------------------------------------------------------

local function look(name, times)
  return tonumber(ask(("/look?of=%s&times=%d"):format(name, is_quick and times / 100 or times)))
end

-- The worker's processor time, in clock ticks.
local function ticks(pid)
  local user, system = read("/proc/" .. pid .. "/stat"):match("^%d+ %b() %a" .. (" %-?%d+"):rep(10) .. " (%d+) (%d+)")
  return user + system
end

-- A page's processor time, which a busy machine changes least; requests a second; and the 99th percentile.
local function load(name)
  local pid = ask("/pid"):match("%d+")
  local before = ticks(pid)
  local said = run(("wrk -t1 -c16 -d%ds --latency 'http://127.0.0.1:%d/page?of=%s'"):format(SECONDS, port, name))
  assert(not said:find("Non-2xx", 1, true) and not said:find("Socket errors", 1, true), said)
  return (ticks(pid) - before) / said:match("(%d+) requests in"), tonumber(said:match("Requests/sec:%s+([%d.]+)")),
    said:match("99%%%s+([%d.]+%a+)")
end

local function measure()
  local best = {}
  for _ = 1, ROUNDS do
    for _, contender in ipairs(CONTENDERS) do
      local name = contender[1]
      local ns = look(name, contender[3])
      best[name] = best[name] or { ns = math.huge, time = math.huge, rate = 0 }
      best[name].ns = math.min(best[name].ns, ns)
    end
  end
  for _ = 1, is_quick and 1 or 3 do
    for _, contender in ipairs(CONTENDERS) do
      local found, time, rate, p99 = best[contender[1]], load(contender[1])
      found.time = math.min(found.time, time)
      if rate > found.rate then
        found.rate, found.p99 = rate, p99
      end
    end
  end
  return best
end

local function report(best, size)
  local one, page = best.mapped.ns, best.constant
  print(("A look at one flag of a document of %d bytes, in one worker of nginx, nothing changes; and a page that looks once:"):format(size))
  print("its processor time and its requests a second, as many times those of the first row, and its 99th percentile.")
  print(("%-52s %10s %11s %10s %11s %9s"):format("", "ns a look", "x mapped", "page: time", "requests/s", "p99"))
  for _, contender in ipairs(CONTENDERS) do
    local found = best[contender[1]]
    print(("%-52s %10.1f %9.1f x %8.2f x %9.2f x %9s"):format(contender[2], found.ns, found.ns / one,
      found.time / page.time, found.rate / page.rate, found.p99))
  end
end

local is_done, why = pcall(function()
  local size = start()
  if not pcall(ask, "/page?of=redis") then
    print("Redis is left out: it needs Debian's lua-nginx-redis and redis-server")
    table.remove(CONTENDERS)
  end
  report(measure(), size)
end)
stop()
if not is_done then
  error(why, 0)
end
