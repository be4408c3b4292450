-- SPDX-License-Identifier: MIT
-- Whatever a program hands in: an answer or an error of Lua's, never a crash, and the value stays.
--
-- Shows: WRITE-2, NAME-4.

local ffi = require("ffi")
local lu = require("luaunit")
local cjson = require("cjson")
local seqshare = require("resty.seqshare")
local support = require("support")

ffi.cdef("int close(int fd); int chdir(const char *path);")

local ROUNDS = tonumber(os.getenv("SEQSHARE_ROUNDS") or 20000)

local function share(value)
  return assert(seqshare.create(support.folder() .. "/share", 100000, { value = value, log = function() end }))
end

-- ---- values that are not documents -------------------------------------------------------------

local function cycle()
  local one = { n = 1 }
  one.list = { 1, { one } }
  return one
end

local function deep(levels)
  local value = 1
  for _ = 1, levels do
    value = { value }
  end
  return value
end

local REFUSED = {
  { "a function", function() return print end, "a function" },
  { "a function inside", function() return { a = { b = { 1, print } } } end, "a function at /a/b/1" },
  { "a coroutine", function() return { coroutine.create(print) } end, "a thread at /0" },
  { "a userdata", function() return { file = io.stdout } end, "a userdata at /file" },
  { "a struct", function() return { ffi.new("int[2]") } end, "a cdata at /0" },
  { "a complex number", function() return { ffi.new("complex", 1, 2) } end, "a cdata" },
  { "nothing", function() return nil end, "a nil" },
  { "nan", function() return { 0 / 0 } end, "the number" },
  { "infinity", function() return { n = -math.huge } end, "the number -inf at /n" },
  { "a cycle", cycle, "contains itself" },
  { "too deep", function() return deep(513) end, "512" },
  { "very deep", function() return deep(100000) end, "512" },
  { "a mixed table", function() return { 1, 2, x = 3 } end, "both names and numbers" },
  { "holes", function() return { 1, nil, 3, nil, nil, 6 } end, "holes" },
  { "a huge hole", function() return { [2 ^ 40] = 1 } end, "holes" },
  { "an index of zero", function() return { [0] = 1 } end, "a key of type number (0)" },
  { "a broken index", function() return { [1.5] = 1 } end, "a key of type number" },
  { "a key that is true", function() return { [true] = 1 } end, "a key of type boolean" },
  { "a key that is a table", function() return { [{}] = 1 } end, "a key of type table" },
  { "a key that is a function", function() return { [print] = 1 } end, "a key of type function" },
  { "a name with a zero", function() return { ["a\0b"] = 1 } end, "zero" },
  { "not UTF-8", function() return { "\255" } end, "UTF-8" },
  { "half of a pair", function() return "\237\160\128" end, "UTF-8" },
}

TestBadInput = {}

function TestBadInput.test_what_is_not_a_document()
  local config = share({ n = 1 })
  for _, case in ipairs(REFUSED) do
    local name, make, words = unpack(case)
    local version, why, errno = config:set(make())
    lu.assertNil(version, name)
    lu.assertStrContains(why, words, false, name)
    lu.assertIs(errno, seqshare.EBADMSG, name)
    lu.assertNil(config:update(function() return make() or print end), name)
  end
  lu.assertIs(config:version(), 1)
  lu.assertIs(config:get().n, 1)
end

function TestBadInput.test_the_same_table_twice_is_no_cycle()
  local twice = { 1 }
  local config = share({ twice, twice, { twice } })
  lu.assertIs(config:get_bytes(), "[[1],[1],[[1]]]")
end

function TestBadInput.test_what_is_too_long()
  local config = share({ n = 1 })
  local version, why = config:set(("x"):rep(200000))
  lu.assertNil(version)
  lu.assertStrContains(why, "longer than the capacity")
  lu.assertIs(config:get().n, 1)
end

function TestBadInput.test_texts_that_are_not_documents()
  local config = share({ n = 1 })
  assert(config:get())
  for _, text in ipairs({ "", " ", "{", "[1,]", "[NaN]", "[1e999]", "{} {}", "nil", "'a'", "\239\187\191[]", ("["):rep(513) .. ("]"):rep(513) }) do
    lu.assertNil(config:set_json(text), text)
    support.force(config.path, text)
    lu.assertIs(config:get().n, 1, text)
  end
end

-- ---- arguments ---------------------------------------------------------------------------------

local NAME = "lua-fuzz-" .. ffi.C.getpid()
local THINGS = { 0, -1, 1, 2 ^ 31, 2 ^ 53, 1e300, 0 / 0, math.huge, 0.5, "", NAME, "a\0b", ("x"):rep(5000), "/", "./x", "/dev/null", "/nowhere/x",
  true, false, {}, { {} }, { 1, x = 2 }, tostring, function() end, coroutine.create(print), io.stdout, cjson.null, ffi.new("int[1]"), 5LL,
  { write = true }, { write = 5 }, { log = function() end, mapped = true }, { slots = 3 }, { value = print }, { mode = -1 } }

local function some(random)
  local index = random(#THINGS + 1)
  return THINGS[index] -- sometimes nil
end

function TestBadInput.test_any_arguments_to_any_function()
  ffi.C.chdir(support.folder())
  local config = assert(seqshare.new(1000, { log = function() end }))
  local seed = tonumber(os.getenv("SEQSHARE_SEED") or os.time())
  print("seed " .. seed)
  math.randomseed(seed)
  local calls = { seqshare.open, seqshare.new, seqshare.create, seqshare.attach, seqshare.copy, seqshare.is_array }
  local methods = { "get", "get_bytes", "version", "age", "set", "set_if", "set_json", "set_bytes", "update", "lock", "stat" }
  local answers = 0
  for _ = 1, ROUNDS do
    local a, b, c = some(math.random), some(math.random), some(math.random)
    local method = methods[math.random(#methods)]
    if type(a) == "number" and a > 2 and method ~= "set" then
      a = 0 -- no descriptors of others, and no long waits
    end
    answers = answers + (pcall(config[method], config, a, b, c) and 1 or 0)
    local ok, made = pcall(calls[math.random(#calls)], a, b, c)
    if ok and type(made) == "table" and made.close and made ~= config then
      made:close()
    end
  end
  ffi.C.chdir("/")
  os.remove("/dev/shm/seqshare." .. NAME)
  lu.assertTrue(answers > ROUNDS / 20)
  assert(config:set({ n = 5 }))
  lu.assertIs(config:get().n, 5)
end

-- What LuaJIT would make some other number of, or what is two options in one.
function TestBadInput.test_options_that_are_not_right()
  local path = support.folder() .. "/share"
  for _, mode in ipairs({ 0.5, -1, 2 ^ 32 + 384, 1e300, 0 / 0, math.huge }) do
    lu.assertErrorMsgContains("the option mode must be a whole number", seqshare.create, path, 1000, { mode = mode })
    lu.assertErrorMsgContains("the option slots must be a whole number", seqshare.new, 1000, { slots = mode })
  end
  lu.assertIs(select(3, seqshare.open(path)), seqshare.ENOENT)
  lu.assertErrorMsgContains("the option mode must be a number", seqshare.create, path, 1000, { mode = "644" })
  lu.assertErrorMsgContains("there is no option write mapped here", seqshare.open, path, { ["write mapped"] = true })
  lu.assertErrorMsgContains("there is no option 1 here", seqshare.open, path, { "write" })
end

function TestBadInput.test_a_closed_share()
  local config = share({ n = 1 })
  local document = config:get()
  config:close()
  config:close()
  for _, method in ipairs({ "get", "get_bytes", "version", "age", "set", "set_json", "stat", "drop_write", "fd" }) do
    lu.assertErrorMsgContains("is closed", config[method], config, "{}")
  end
  lu.assertIs(document.n, 1)
end

function TestBadInput.test_a_program_that_closes_descriptors()
  local config = share({ n = 1 })
  lu.assertIs(config:get().n, 1)
  local pid = support.child(function()
    for fd = 3, 100 do
      ffi.C.close(fd)
    end
    for _ = 1, 10 do
      assert(config:get().n == 1)
    end
  end)
  lu.assertIs(support.reap(pid), 0)
end

-- ---- what is not a share -----------------------------------------------------------------------

local function corrupt(path, at, bytes)
  local file = assert(io.open(path, "r+b"))
  file:seek("set", at)
  file:write(bytes)
  file:close()
end

function TestBadInput.test_files_that_are_not_shares()
  local folder = support.folder()
  local file = assert(io.open(folder .. "/text", "w"))
  file:write(("x"):rep(100000))
  file:close()
  local _, why, errno = seqshare.open(folder .. "/text")
  lu.assertStrContains(why, "not a share")
  lu.assertIs(errno, seqshare.EBADMSG)
  lu.assertNil(seqshare.open(folder))
  lu.assertNil(seqshare.open("/dev/null"))
  lu.assertNil(seqshare.attach(0))
end

-- An enemy writes into the region, at random, while it is read.
function TestBadInput.test_a_region_that_an_enemy_writes()
  for _ = 1, math.max(20, ROUNDS / 1000) do
    local config = share({ n = 1, list = { 1, 2, 3 } })
    local other = assert(seqshare.open(config.path, { mapped = true, log = function() end }))
    for _ = 1, 20 do
      local bytes = {}
      for i = 1, math.random(16) do
        bytes[i] = string.char(math.random(0, 255))
      end
      corrupt(config.path, math.random(0, 9000), table.concat(bytes))
      for _, reader in ipairs({ config, other }) do
        reader:get()
        reader:get_bytes()
        reader:stat()
        reader:age()
      end
    end
    config:close()
    other:close()
  end
end

support.finish()
