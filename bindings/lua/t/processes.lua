-- SPDX-License-Identifier: MIT
-- Several processes: changes, locks, names that move, values that are bad, files that are cut.
--
-- Shows: READ-6, READ-10, WRITE-1, WRITE-5, NAME-2, NAME-8, WAIT-1, JSON-2.

local ffi = require("ffi")
local lu = require("luaunit")
local library = require("resty.seqshare.library")
local seqshare = require("resty.seqshare")
local support = require("support")

local function new_path()
  return support.folder() .. "/share"
end

local function share(value, options)
  options = options or {}
  options.value = value
  return assert(seqshare.create(new_path(), 1024 * 1024, options))
end

-- Runs work() in a child, which must succeed.
local function in_a_child(work)
  lu.assertIs(support.reap(support.child(work)), 0)
end

local function both_ways(test)
  test({ mapped = true })
  test({ mapped = false })
end

TestChanges = {}

function TestChanges.test_everybody_sees_every_change()
  both_ways(function(options)
    local config = share({ n = 0 }, options)
    assert(config:get())
    for n = 1, 50 do
      in_a_child(function()
        assert(config:set({ n = n })) -- a handle from before the fork
      end)
      lu.assertIs(config:get().n, n)
    end
    in_a_child(function()
      lu.assertIs(assert(seqshare.open(config.path)):get().n, 50) -- a fresh process, at its first look
    end)
  end)
end

function TestChanges.test_an_anonymous_share_is_inherited()
  local config = assert(seqshare.new(1000))
  assert(config:set({ n = 1 }))
  in_a_child(function()
    lu.assertIs(config:get().n, 1)
    assert(config:set({ n = 2 }))
  end)
  lu.assertIs(config:get().n, 2)
end

-- The compiler of traces must not move the look out of the loop.
function TestChanges.test_a_loop_sees_a_change()
  both_ways(function(options)
    local config = share({ n = 0 }, options)
    local pid = support.child(function()
      while config:get().n < 100 do -- nothing but looks
      end
    end)
    for n = 1, 100 do
      assert(config:set({ n = n }))
    end
    lu.assertIs(support.reap(pid), 0)
  end)
end

function TestChanges.test_no_update_is_lost()
  local config = share({ n = 0 })
  local pids = {}
  for i = 1, 4 do
    pids[i] = support.child(function()
      for _ = 1, 200 do
        assert(config:update(function(document)
          document.n = document.n + 1
          return document
        end))
      end
    end)
  end
  for _, pid in ipairs(pids) do
    lu.assertIs(support.reap(pid), 0)
  end
  lu.assertIs(config:get().n, 800)
  lu.assertIs(config:version(), 801)
end

TestLock = {}

function TestLock.test_an_error_gives_it_back()
  local config = share({ n = 1 })
  lu.assertErrorMsgContains("boom", config.lock, config, function() error("boom") end)
  lu.assertErrorMsgContains("boom", config.update, config, function() error("boom") end)
  local ok, object = pcall(config.lock, config, function() error({ code = 5 }) end)
  lu.assertFalse(ok)
  lu.assertIs(object.code, 5)
  lu.assertIs(config:lock(function(held) return held:set({ n = 2 }) end, 10), 2)
end

function TestLock.test_a_coroutine_cannot_leave_with_it()
  local config = share({ n = 1 })
  local thread = coroutine.create(function()
    return config:lock(function() coroutine.yield() end)
  end)
  local ok, why = coroutine.resume(thread)
  lu.assertFalse(ok)
  lu.assertStrContains(why, "yield")
  lu.assertIs(config:set({ n = 2 }), 2)
end

function TestLock.test_reads_and_sets_under_it()
  local config = share({ n = 1 })
  local bytes, version = config:lock(function(held)
    lu.assertIs(select(3, held:lock(function() end)), 35) -- EDEADLK
    assert(held:set({ n = 2 }))
    assert(held:set_if(2, { n = 3 }))
    lu.assertIs(held:get().n, 3)
    return held:get_bytes()
  end)
  lu.assertEquals({ bytes, version }, { '{"n":3}', 3 })
end

function TestLock.test_a_limit_and_a_dead_owner()
  local config = share({ n = 1 })
  local ready = share(false)
  local pid = support.child(function()
    config:lock(function()
      assert(ready:set(true))
      support.await("a signal", function() end)
    end)
  end)
  support.await("the lock", function() return ready:get() end)
  lu.assertIs(config:get().n, 1)
  lu.assertIs(select(3, config:lock(function() end, 0)), seqshare.ETIMEDOUT)
  support.kill(pid)
  support.reap(pid)
  lu.assertIs(config:set({ n = 2 }), 2)
  lu.assertIs(config:get().n, 2)
end

function TestLock.test_who_only_reads_learns_what_to_do()
  local config = assert(seqshare.open(share({ n = 1 }).path))
  for _, call in ipairs({ "set", "update", "lock" }) do
    local done, why, errno = config[call](config, call == "set" and 1 or function() end)
    lu.assertNil(done)
    lu.assertStrContains(why, "{ write = true }")
    lu.assertIs(errno, seqshare.EROFS)
  end
end

TestNames = {}

function TestNames.test_a_name_that_moves_is_followed()
  both_ways(function(options)
    local config = share({ n = 1 }, options)
    local path = config.path
    assert(config:get())
    support.command("replace " .. path .. " --size 2M")
    support.command("set " .. path .. " --json '{\"n\":2}'")
    support.await("the new region", function() return config:get().n == 2 end)
    os.remove(path)
    lu.assertIs(config:get().n, 2)
    local other = assert(seqshare.create(path, 1000, { value = { n = 3 } })) -- its versions begin again
    support.await("the share that was made again", function() return config:get().n == 3 end)
    assert(other:set({ n = 4 }))
    lu.assertIs(config:get().n, 4)
    lu.assertIs(config:stat().moved, 2)
    assert(config:update(function(document) -- goes where the name leads
      document.n = document.n + 1
      return document
    end))
    lu.assertIs(other:get().n, 5)
  end)
end

function TestNames.test_a_set_goes_where_the_name_leads()
  local config = share({ n = 1 })
  os.remove(config.path)
  lu.assertIs(select(3, config:set({ n = 2 })), seqshare.ENOENT)
  lu.assertIs(config:get().n, 1)
end

function TestNames.test_a_mark_is_noticed_at_once()
  local config = share({ n = 1 }, { mapped = true })
  assert(config:get())
  support.command("replace " .. config.path .. " --size 2M")
  support.command("set " .. config.path .. " --json '{\"n\":2}'")
  lu.assertIs(config:get().n, 2)
end

-- Two files with the same region id and version: the date tells.
function TestNames.test_a_copy_of_the_file()
  local config = share({ n = 1 })
  local path = config.path
  support.run(("cp %s %s.copy"):format(path, path))
  assert(config:set({ n = 2 }))
  lu.assertIs(config:get().n, 2)
  local clock = share(1)
  support.await("another tick of the coarse clock", function()
    return clock:set(1) and clock:stat().published > config:stat().published
  end)
  assert(assert(seqshare.open(path .. ".copy", { write = true })):set({ n = 3 }))
  os.rename(path .. ".copy", path)
  support.await("the copy", function() return config:get().n == 3 end)
end

-- The name goes elsewhere while a writer waits for the lock.
function TestNames.test_a_writer_that_waits_follows()
  local config = share({ n = 1 })
  local other = assert(seqshare.open(config.path, { write = true }))
  local writer
  config:lock(function()
    writer = support.child(function()
      assert(other:set({ n = 2 }))
    end)
    support.await("the writer's sleep", function() return support.read("/proc/" .. writer .. "/stat"):find(") S ", 1, true) end)
    os.remove(config.path)
    assert(seqshare.create(config.path, 1000))
  end)
  lu.assertIs(support.reap(writer), 0)
  lu.assertIs(assert(seqshare.open(config.path)):get().n, 2)
end

function TestNames.test_a_share_that_is_not_there_yet()
  local path = new_path()
  local _, why, errno = seqshare.open(path)
  lu.assertStrContains(why, "no share of that name")
  lu.assertIs(errno, seqshare.ENOENT)
  local config = assert(seqshare.open(path, { optional = true }))
  lu.assertIs(select(3, config:get()), seqshare.ENOENT)
  lu.assertIs(select(3, config:wait(0, 0.01)), seqshare.ETIMEDOUT)
  assert(seqshare.create(path, 1000))
  support.await("the share", function() return select(3, config:get()) == seqshare.ENODATA end)
  support.command("set " .. path .. " --json '[5]'")
  lu.assertIs(config:get()[1], 5)
end

TestBadValues = {}

local function listener()
  local lines = {}
  return lines, function(text)
    lines[#lines + 1] = text
  end
end

function TestBadValues.test_is_tried_once_and_said_once()
  both_ways(function(options)
    local lines
    lines, options.log = listener()
    local config = share({ n = 1 }, options)
    lu.assertIs(config:get().n, 1)
    support.force(config.path, "{n:2}")
    for _ = 1, 200 do
      lu.assertIs(config:get().n, 1)
    end
    lu.assertIs(config:stat().failed, 1)
    lu.assertIs(config:stat().failed_version, 2)
    lu.assertIs(#lines, 1)
    lu.assertStrContains(lines[1], "version 2 is not used, the last good one stays: not JSON: a name in quotes or }")
    assert(config:set({ n = 3 }))
    lu.assertIs(config:get().n, 3)
  end)
end

function TestBadValues.test_many_do_not_flood_the_log()
  local lines, log = listener()
  local config = share({ n = 1 }, { log = log })
  assert(config:get())
  local begin = os.time()
  for _ = 1, 50 do
    assert(config:set_bytes("no"))
    lu.assertIs(config:get().n, 1)
  end
  lu.assertIs(config:stat().failed, 50)
  lu.assertTrue(#lines <= os.time() - begin + 2)
  support.await("the last of them in the log", function() -- it is the one that stays
    return config:get() and lines[#lines]:find("version 51 ", 1, true)
  end)
end

function TestBadValues.test_without_a_good_one_there_is_an_error()
  local lines, log = listener()
  local config = share(nil, { log = log })
  lu.assertIs(select(3, config:get()), seqshare.ENODATA)
  support.force(config.path, "{")
  local _, why, errno = config:get()
  lu.assertStrContains(why, "not JSON")
  lu.assertIs(errno, seqshare.EBADMSG)
  lu.assertStrContains(lines[1], "there is none before it")
  local _, no_change = config:update(function() return {} end)
  lu.assertStrContains(no_change, "version 1 cannot be changed: not JSON")
  assert(config:set_bytes("{}", 77)) -- a value of another program
  lu.assertStrContains(select(2, config:get()), "its type tag is 0000004d")
end

function TestBadValues.test_children_that_are_born_later_have_the_last_good_one()
  local config = share({ n = 1 }, { keep = true, log = function() end })
  assert(config:get())
  in_a_child(function() -- a worker that saw a newer one
    assert(config:set({ n = 2 }))
    lu.assertIs(config:get().n, 2)
  end)
  support.force(config.path, "{")
  in_a_child(function() -- born when it is too late
    lu.assertIs(config:get().n, 2)
  end)
  lu.assertIs(config:get().n, 2)
  assert(config:set({ n = 4 }))
  in_a_child(function() lu.assertIs(config:get().n, 4) end)
end

-- A worker that is stopped while it keeps a document holds nobody up, and the document is kept later.
function TestBadValues.test_a_worker_that_is_stopped_while_it_keeps()
  local lines, log = listener()
  local config = share({ n = 1 }, { keep = true, log = log })
  assert(config:get())
  local good, ready = config.good.handle, share(false)
  local pid = support.child(function()
    assert(library.seqshare.seqshare_lock(good) >= 0)
    assert(ready:set(true))
    support.await("a signal", function() end)
  end)
  support.await("the lock", function() return ready:get() end)
  assert(config:set({ n = 2 }))
  lu.assertIs(config:get().n, 2)
  lu.assertEquals(lines, {})
  support.kill(pid)
  support.reap(pid)
  support.await("the document's being kept", function() return config:get() and not config.unkept end)
  support.force(config.path, "{")
  in_a_child(function()
    lu.assertIs(assert(seqshare.open(config.path, { keep = true, log = function() end })):get().n, 2)
  end)
end

function TestBadValues.test_another_open_in_the_process_finds_what_was_kept()
  local config = share({ n = 1 }, { keep = true, log = function() end })
  assert(config:get())
  support.force(config.path, "{")
  local again = assert(seqshare.open(config.path, { keep = true, log = function() end }))
  lu.assertIs(again:get().n, 1)
  local other = assert(seqshare.open(config.path, { log = function() end }))
  lu.assertNil(other:get()) -- that one was not asked to keep it
end

TestCuts = {}

function TestCuts.test_a_file_that_is_cut_kills_nobody()
  local lines, log = listener()
  local config = share({ n = 1 }, { log = log })
  lu.assertIs(config:get().n, 1)
  for _, length in ipairs({ 100, 0 }) do
    lu.assertIs(ffi.C.truncate(config.path, length), 0)
    for _ = 1, 100 do
      lu.assertIs(config:get().n, 1)
      lu.assertNil(config:get_bytes())
      lu.assertNil(config:version())
      lu.assertNil(config:stat())
    end
    lu.assertNil(config:set({ n = 2 }))
  end
  support.await("a line in the log", function() return config:get() and #lines > 0 end)
  os.remove(config.path)
  assert(seqshare.create(config.path, 1000, { value = { n = 3 } }))
  support.await("the share that was made again", function() return config:get().n == 3 end)
end

function TestCuts.test_while_it_is_cut_and_made_again()
  local path = new_path()
  assert(seqshare.create(path, 1000, { value = { n = 0 } }))
  local stop = share(false)
  local pids = {}
  for i = 1, 2 do
    pids[i] = support.child(function()
      local config = assert(seqshare.open(path, { log = function() end, optional = true }))
      while not stop:get() do
        assert(config:get() or select(3, config:get()))
      end
    end)
  end
  for n = 1, 300 do
    assert(ffi.C.truncate(path, n % 2 == 0 and 0 or 4000) == 0)
    os.remove(path)
    assert(seqshare.create(path, 1000, { value = { n = n } }))
  end
  assert(stop:set(true))
  for _, pid in ipairs(pids) do
    local status, signal = support.reap(pid)
    lu.assertEquals({ status, signal }, { 0 })
  end
end

TestWaiting = {}

function TestWaiting.test_wait_ends_with_a_change()
  local config = share({ n = 0 })
  assert(config:get())
  local pid = support.child(function()
    for version = 1, 20 do
      lu.assertTrue(assert(config:wait(version)) > version)
    end
  end)
  for n = 1, 21 do
    assert(config:set({ n = n }))
    ffi.C.usleep(1000)
  end
  lu.assertIs(support.reap(pid), 0)
  lu.assertIs(select(3, config:wait(22, 0.01)), seqshare.ETIMEDOUT)
end

function TestWaiting.test_wait_follows_the_name()
  local config = share({ n = 1 })
  assert(config:get())
  local pid = support.child(function()
    assert(config:wait())
    lu.assertIs(config:get().n, 2)
  end)
  os.remove(config.path)
  assert(seqshare.create(config.path, 1000, { value = { n = 2 } }))
  lu.assertIs(support.reap(pid), 0)
end

support.finish()
