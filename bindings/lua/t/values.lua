-- SPDX-License-Identifier: MIT
-- Documents: what Lua writes and reads, read-only trees, and what is refused.
--
-- Shows: JSON-1, WRITE-3.

local ffi = require("ffi")
local lu = require("luaunit")
local cjson = require("cjson")
local seqshare = require("resty.seqshare")
local library = require("resty.seqshare.library")
local support = require("support")

local function share(value, options)
  options = options or {}
  options.value = value
  return assert(seqshare.create(support.folder() .. "/share", 4 * 1024 * 1024, options))
end

TestDocuments = {}

function TestDocuments.test_comes_back_as_it_was_set()
  local config = share({ flags = { dark = true, light = false }, list = { 1, "two", { 3 } }, empty = "" })
  local found = config:get()
  lu.assertIs(found.flags.dark, true)
  lu.assertIs(found.flags.light, false)
  lu.assertIs(found.list[2], "two")
  lu.assertIs(found.list[3][1], 3)
  lu.assertNil(found.nothing)
  lu.assertNil(found.list[4])
  lu.assertIs(found.empty, "")
end

function TestDocuments.test_scalars_are_documents()
  local config = share(1)
  for _, value in ipairs({ false, true, "text", 0, -1.5, seqshare.null }) do
    assert(config:set(value))
    local found, why = config:get()
    lu.assertIs(found, value)
    lu.assertNil(why)
  end
end

function TestDocuments.test_empty_arrays_and_objects_differ()
  local config = share({ list = seqshare.array(), map = {}, deep = { seqshare.array(), {} }, ["a/b~c"] = seqshare.array() })
  local text = config:get_bytes()
  lu.assertStrContains(text, '"list":[]')
  lu.assertStrContains(text, '"map":{}')
  lu.assertStrContains(text, '"deep":[[],{}]')
  assert(config:update(function(document) -- through plain tables and back
    document.new = true
    return document
  end))
  local found = config:get()
  lu.assertTrue(seqshare.is_array(found.list) and seqshare.is_array(found.deep[1]) and seqshare.is_array(found["a/b~c"]))
  lu.assertFalse(seqshare.is_array(found.map) or seqshare.is_array(found.deep[2]))
end

function TestDocuments.test_numbers_keep_their_digits()
  local config = share(0)
  for _, number in ipairs({ 0.1, 0.1 + 0.2, 1 / 3, 1e300, 5e-324, 1.7976931348623157e308, 2 ^ 53 - 1, -2 ^ 53, 123456789012345 }) do
    assert(config:set({ number }))
    lu.assertIs(config:get()[1], number)
  end
  assert(config:set({ -0.0 }))
  lu.assertIs(1 / config:get()[1], -math.huge)
  assert(config:set({ 9223372036854775807LL, 18446744073709551615ULL, -9223372036854775807LL - 1 }))
  lu.assertIs(config:get_bytes(), "[9223372036854775807,18446744073709551615,-9223372036854775808]")
  lu.assertIs(config:get()[1], 2 ^ 63) -- the nearest double
end

function TestDocuments.test_is_decoded_once_a_version()
  local config = share({ 1 })
  local found = config:get()
  lu.assertIs(config:get(), found)
  assert(config:set({ 2 }))
  lu.assertIs(config:get()[1], 2)
  lu.assertIs(found[1], 1) -- who has it keeps it
  lu.assertIs(config:stat().decoded, 2)
end

function TestDocuments.test_a_thousand_names_and_the_deepest()
  local many, deep = {}, seqshare.array()
  for i = 1, 1000 do
    many["name" .. i] = i
  end
  for _ = 2, 512 do
    deep = { deep }
  end
  local config = share(many)
  local count = 0
  for name, value in pairs(config:get()) do
    lu.assertIs(name, "name" .. value)
    count = count + 1
  end
  lu.assertIs(count, 1000)
  assert(config:set(deep))
  local found = config:get()
  for _ = 2, 512 do
    found = found[1]
  end
  lu.assertIs(#found, 0)
  local _, why = config:set({ deep })
  lu.assertStrContains(why, "512")
end

function TestDocuments.test_what_the_command_writes()
  local config = share(1)
  local path = config.path
  support.command("set " .. path .. [[ --json '{"list":[1,[],{}],"name":"\u00e9\ud83d\ude00","zero":"a\u0000b"}']])
  local found = config:get()
  lu.assertIs(#found.list, 3)
  lu.assertIs(found.name, "é😀")
  lu.assertIs(found.zero, "a\0b")
  assert(config:set({ rate = 5 }))
  lu.assertIs(support.command("get " .. path .. " /rate"), "5\n")
end

TestReadOnly = {}

function TestReadOnly.setUp()
  TestReadOnly.found = share({ flags = { dark = true }, list = { 1, 2, { x = 1 } } }):get()
end

function TestReadOnly.test_nothing_can_be_changed()
  local found = TestReadOnly.found
  local function refused(change)
    lu.assertErrorMsgContains("read-only", change)
  end
  refused(function() found.new = 1 end)
  refused(function() found.flags = 1 end)
  refused(function() found.flags.dark = false end)
  refused(function() found.list[1] = 2 end)
  refused(function() found.list[3].x = nil end)
  for _, function_of_tables in ipairs({ rawset, table.insert, table.remove, table.sort, setmetatable }) do
    lu.assertError(function_of_tables, found.list, 1, 2)
  end
  local _, view = pairs(found)
  refused(function() view.new = 1 end)
  lu.assertIs(found.flags.dark, true)
end

function TestReadOnly.test_length_pairs_and_ipairs()
  local found, names, sum = TestReadOnly.found, {}, 0
  lu.assertIs(#found.list, 3)
  for name, value in pairs(found) do
    lu.assertIs(found[name], value)
    names[#names + 1] = name
  end
  table.sort(names)
  lu.assertEquals(names, { "flags", "list" })
  for index, value in ipairs(found.list) do
    sum = sum + (type(value) == "number" and index * value or 0)
  end
  lu.assertIs(sum, 5)
  for index, value in pairs(found.list) do
    lu.assertIs(found.list[index], value)
  end
  lu.assertStrContains(tostring(found), "object")
end

function TestReadOnly.test_what_knows_tables_alone_says_so()
  for _, call in ipairs({ next, rawget, table.concat, unpack, cjson.encode }) do
    lu.assertError(call, TestReadOnly.found.list, 1)
  end
end

function TestReadOnly.test_a_copy_is_the_callers()
  local copy = seqshare.copy(TestReadOnly.found)
  copy.flags.dark = false
  table.insert(copy.list, 4)
  lu.assertIs(TestReadOnly.found.flags.dark, true)
  lu.assertIs(#TestReadOnly.found.list, 3)
  lu.assertEquals(cjson.decode(cjson.encode(copy.flags)), { dark = false })
  lu.assertIs(seqshare.copy(5), 5)
end

function TestReadOnly.test_views_compare_by_identity()
  local found = TestReadOnly.found
  lu.assertTrue(found.flags == found.flags)
  lu.assertFalse(found.flags == found.list or found.flags == nil or found == 1 or found == "x" or found == seqshare.null)
  lu.assertFalse(found.flags == 1LL)
end

function TestReadOnly.test_a_part_can_be_set_again()
  local config = share({ list = { 1, { 2 } } })
  assert(config:set({ old = config:get().list }))
  lu.assertIs(config:get().old[2][1], 2)
end

TestVersions = {}

function TestVersions.test_count_publications()
  local config = share({})
  lu.assertIs(config:version(), 1)
  lu.assertIs(assert(config:set(1)), 2)
  lu.assertIs(assert(config:set_if(2, 2)), 3)
  local version, why, errno, current = config:set_if(2, 3)
  lu.assertNil(version)
  lu.assertStrContains(why, "not the expected one")
  lu.assertIs(errno, seqshare.ESTALE)
  lu.assertIs(current, 3)
  lu.assertIs(config:get(), 2)
end

function TestVersions.test_update()
  local config = share({ n = 1 })
  lu.assertIs(assert(config:update(function(document)
    document.n = document.n + 1
    return document
  end)), 2)
  lu.assertIs(config:get().n, 2)
  lu.assertIs(config:update(function() end), 2) -- nothing changes
  local fresh = assert(seqshare.create(support.folder() .. "/fresh", 100))
  assert(fresh:update(function(document)
    lu.assertNil(document)
    return { n = 1 }
  end))
  lu.assertIs(fresh:get().n, 1)
end

function TestVersions.test_bytes()
  local config = assert(seqshare.new(100))
  assert(config:set_bytes("a\0b"))
  local bytes, version, tag = config:get_bytes()
  lu.assertEquals({ bytes, version, tag }, { "a\0b", 1, 0 })
  assert(config:set_json(' {"a": [ ] } '))
  lu.assertIs(config:get_bytes(), ' {"a": [ ] } ')
  lu.assertTrue(seqshare.is_array(config:get().a))
  assert(config:set_bytes("1", 77))
  lu.assertIs(select(3, config:get_bytes()), 77)
end

function TestVersions.test_an_anonymous_share_and_its_descriptor()
  local config = assert(seqshare.new(1000, { slots = 4 }))
  assert(config:set({ n = 1 }))
  local fd = assert(config:fd())
  local other = assert(seqshare.attach(fd))
  lu.assertIs(other:get().n, 1)
  lu.assertTrue(other:stat().is_mapped) -- it is sealed: nobody can cut it
  assert(config:set({ n = 2 }))
  lu.assertIs(other:get().n, 2)
  lu.assertIs(select(3, other:set(1)), seqshare.EROFS)
  lu.assertIs(config:drop_write(), true)
  lu.assertIs(select(3, config:set(1)), seqshare.EROFS)
  lu.assertIs(config:get().n, 2)
  ffi.cdef("int close(int fd);")
  ffi.C.close(fd)
end

function TestVersions.test_age_and_stat()
  local config = share({ 1 })
  local age = config:age()
  lu.assertTrue(age >= 0 and age < 3600)
  local facts = config:stat()
  lu.assertEquals({ facts.version, facts.length, facts.capacity, facts.document_version, facts.failed },
    { 1, 3, 4 * 1024 * 1024, 1, 0 })
  lu.assertFalse(facts.retired)
end

function TestVersions.test_age_of_a_feed()
  local config = share({ 1 })
  local state = assert(seqshare.create(config.path .. ".feed", 64))
  local function publish(seconds)
    local current = seconds and library.boot_time() - seconds or 0
    local feed = ffi.new("struct seqshare_feed_1", { version = 1, current = current * 1e9, stale_ms = 1000 })
    assert(state:set_bytes(ffi.string(feed, ffi.sizeof(feed)), library.seqshare.seqshare_tag("seqshare_feed_1", 15, 64)))
  end
  publish(0.5)
  lu.assertTrue(config:age() >= 0.5 and config:age() < 3600)
  publish(nil)
  lu.assertIs(config:age(), math.huge) -- not since boot
  assert(state:set_bytes("of another program"))
  lu.assertTrue(config:age() < 3600)
end

support.finish()
