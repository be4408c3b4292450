-- SPDX-License-Identifier: MIT
-- The recipes of docs/lua.md, as they stand there, but for the path of the share and the ports. SEQSHARE_DOCS is the
-- folder of docs.
--
-- Shows: no promise, but that the recipes do what the page says.

local http = require("socket.http")
local ltn12 = require("ltn12")
local lu = require("luaunit")
local support = require("support")

local page = support.read((os.getenv("SEQSHARE_DOCS") or support.t .. "/../../../docs") .. "/lua.md")
local MODULES = os.getenv("NGINX_MODULES") or "/usr/lib/nginx/modules"
local folder = support.folder()
local path = folder .. "/config"
local ports = { ["8080"] = support.free_port(), ["8081"] = support.free_port(), ["8082"] = support.free_port() }
local log = folder .. "/error.log"

-- ---- the page's blocks -------------------------------------------------------------------------

local function fit(text)
  return (text:gsub("/run/shop/config", path):gsub("%f[%d](80%d%d)%f[%D]", ports))
end

-- The blocks of a kind whose first line begins so.
local function blocks(kind, first)
  local found = {}
  for block in page:gmatch("\n```" .. kind .. "\n(" .. first .. ".-)\n```") do
    found[#found + 1] = fit(block)
  end
  lu.assertTrue(#found > 0)
  return table.concat(found, "\n")
end

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function start()
  support.run("chmod 755 " .. folder)
  write("shop.json", blocks("json", "{"))
  support.command("create " .. path .. " --size 1M --mode 666 --json --from " .. folder .. "/shop.json")
  write("banned.lua", blocks("lua", "%-%- banned.lua"))
  write("follow.lua", blocks("lua", "%-%- follow.lua"))
  local answers = ""
  for _, backend in ipairs({ { "8081", "blue" }, { "8082", "green" } }) do
    answers = answers .. ("server { listen 127.0.0.1:%s; location / { return 200 %s; } }\n"):format(ports[backend[1]], backend[2])
  end
  write("nginx.conf", ([[
load_module %s/ndk_http_module.so;
load_module %s/ngx_http_lua_module.so;
worker_processes 4;
pid nginx.pid;
error_log error.log notice;
events {}
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    lua_package_path "%s/?.lua;%s/?.lua;;";
%s
%s
    server {
        listen 127.0.0.1:%s;
%s
    }
}
]]):format(MODULES, MODULES, folder, support.lib, blocks("nginx", "# http"), answers, ports["8080"], blocks("nginx", "# server")))
  support.run(("nginx -p %s -c nginx.conf"):format(folder))
  support.end_with_test(folder .. "/nginx.pid")
end

local function ask(location, options)
  local parts = {}
  options = options or {}
  local _, status, headers = http.request({ url = "http://127.0.0.1:" .. ports["8080"] .. location, sink = ltn12.sink.table(parts),
    method = options.body and "PUT" or "GET", source = options.body and ltn12.source.string(options.body),
    headers = { ["content-length"] = options.body and #options.body, ["if-match"] = options.if_match } })
  return status, table.concat(parts), headers
end

local function set(place, text)
  support.command(("set %s %s '%s' --json"):format(path, place, text))
end

-- ---- tests -------------------------------------------------------------------------------------

TestRecipes = {}

function TestRecipes.test_maintenance()
  lu.assertEquals({ ask("/shop") }, { 200, "open, 100 a second\n", select(3, ask("/shop")) })
  set("/closed", "true")
  local status, _, headers = ask("/shop")
  lu.assertEquals({ status, headers["retry-after"] }, { 503, "120" })
  set("/closed", "false")
  lu.assertIs(ask("/shop"), 200)
end

function TestRecipes.test_which_server_answers()
  lu.assertIs(select(2, ask("/api")), "blue")
  set("/backend", '"green"')
  lu.assertIs(select(2, ask("/api")), "green")
  set("/backend", '"blue"')
  set("/canary", "100")
  lu.assertIs(select(2, ask("/api")), "green")
  set("/canary", "0")
  lu.assertIs(select(2, ask("/api")), "blue")
end

function TestRecipes.test_what_is_made_of_a_document()
  lu.assertIs(ask("/guarded?address=192.0.2.1"), 403)
  lu.assertIs(ask("/guarded?address=192.0.2.2"), 200)
  set("/banned/0", '"192.0.2.2"')
  lu.assertIs(ask("/guarded?address=192.0.2.1"), 200)
  lu.assertIs(ask("/guarded?address=192.0.2.2"), 403)
end

function TestRecipes.test_something_at_each_change()
  support.await("a line of each worker", function() -- which may have begun just now
    set("/limits/rate", "200")
    local workers, count = {}, 0
    for pid in support.read(log):gmatch("(%d+)#[^\n]*the configuration is version %d+ now") do
      count = count + (workers[pid] and 0 or 1)
      workers[pid] = true
    end
    return count == 4
  end)
end

function TestRecipes.test_a_page_that_publishes()
  local _, text, headers = ask("/config")
  lu.assertStrContains(text, '"limits"')
  lu.assertIs(ask("/config", { body = text, if_match = headers.etag }), 204)
  lu.assertIs(ask("/config", { body = text, if_match = headers.etag }), 412)
  lu.assertIs(ask("/config", { body = "{" }), 400)
  lu.assertStrContains(select(2, ask("/config", { body = "{", if_match = headers.etag })), "not JSON")
  lu.assertIs(ask("/config", { body = text }), 204)
end

function TestRecipes.test_without_nginx()
  local said = folder .. "/said"
  local pid = support.child(function()
    support.run(("%s %s/follow.lua >%s"):format(support.luajit, folder, said))
  end)
  support.await("the first version", function()
    local file = io.open(said)
    local text = file and file:read("*a")
    return file and file:close() and text
  end)
  set("/closed", "true")
  lu.assertIs(support.reap(pid), 0)
  lu.assertStrContains(support.read(said), "blue")
  set("/closed", "false")
end

start()
support.at_end(function()
  support.run("kill $(cat " .. folder .. "/nginx.pid)")
  lu.assertNil(support.read(log):match("exited on signal"))
end)
support.finish()
