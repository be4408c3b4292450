-- SPDX-License-Identifier: MIT
-- Documents: JSON text becomes a read-only tree, or plain tables, and tables become JSON text.
--
-- A tree's objects and arrays are cdata with metamethods, and not tables: LuaJIT asks __pairs and __ipairs of cdata
-- in every build, but those of tables only in builds with the features of Lua 5.2, which Debian's lacks. What knows
-- tables alone (next, rawset, table.concat, cjson.encode) raises an error, and does not find an empty table.

local ffi = require("ffi")
local cjson = require("cjson")
local library = require("resty.seqshare.library")

local M = { null = cjson.null }

local DEPTH = 512 -- of the grammar: docs/json.md

-- An instance of our own: the program's settings of cjson stay as they are.
local codec = cjson.new()
codec.decode_max_depth(DEPTH)

-- ---- plain tables ------------------------------------------------------------------------------

-- An array says so: Lua cannot tell an empty one from an empty object. The newer cjson has this mark, too.
M.array_mt = cjson.array_mt or {}

-- Marks a table as an array; without one, makes an empty array.
function M.array(table)
  return setmetatable(table or {}, M.array_mt)
end

-- ---- the read-only tree ------------------------------------------------------------------------

-- The table behind each view, and the view of each table: made when somebody asks, and then the same for all. No table
-- refers to a view. So the collector takes a tree at once, however deep it is.
local behind = setmetatable({}, { __mode = "k" })
local views = setmetatable({}, { __mode = "kv" })

local make_view -- below

local function shown(value)
  if type(value) == "table" then
    return views[value] or make_view(value)
  end
  return value
end

local function following(view, name)
  local value
  name, value = next(behind[view], name)
  return name, shown(value)
end

local function element(view, index)
  index = index + 1
  local value = behind[view][index]
  if value ~= nil then
    return index, shown(value)
  end
end

local function describe(kind)
  return {
    __index = function(view, name)
      return shown(behind[view][name])
    end,
    __newindex = function(_, name)
      error("seqshare: the document is read-only, " .. tostring(name) .. " too: seqshare.copy() gives tables of your own", 2)
    end,
    __len = function(view)
      return #behind[view]
    end,
    __pairs = function(view)
      return following, view, nil
    end,
    __ipairs = function(view)
      return element, view, 0
    end,
    __eq = rawequal,
    __tostring = function()
      return "seqshare " .. kind
    end,
  }
end

local Object = ffi.metatype("struct {}", describe("object"))
local Array = ffi.metatype("struct {}", describe("array"))

local function is_marked(table)
  return table[1] ~= nil or getmetatable(table) == M.array_mt
end

function make_view(table)
  local view = is_marked(table) and Array() or Object()
  behind[view], views[table] = table, view
  return view
end

local function is_view(value)
  return ffi.istype(Object, value) or ffi.istype(Array, value)
end

function M.is_array(value)
  return ffi.istype(Array, value) or (type(value) == "table" and getmetatable(value) == M.array_mt)
end

local function copy_table(table)
  local copy = is_marked(table) and M.array() or {}
  for name, value in pairs(table) do
    copy[name] = type(value) == "table" and copy_table(value) or value
  end
  return copy
end

-- A copy of a tree, or of a part of one, as plain tables. Any other value is returned as it is.
function M.copy(value)
  return is_view(value) and copy_table(behind[value]) or value
end

-- ---- decoding ----------------------------------------------------------------------------------

local function escape(name)
  return (tostring(name):gsub("~", "~0"):gsub("/", "~1"))
end

-- cjson does not tell [] from {}. Returns a function that tells of an empty table at a JSON Pointer whether it is an
-- array: by json.h, if the text may have both.
local function tell_empty_arrays(text)
  if not text:find("{%s*}") then
    return function()
      return true
    end
  end
  local bytes = ffi.new("char[?]", #text + 1, text)
  local document = library.json.seqshare_json_decode(bytes, #text, 0, nil)
  if document == nil then
    error("not enough memory")
  end
  document = ffi.gc(document, library.json.seqshare_json_destroy)
  local out = ffi.new("char *[1]")
  return function(pointer)
    local value = library.json.seqshare_json_find(document, pointer)
    local length = tonumber(library.json.seqshare_json_text(value, out))
    return length > 0 and library.take_bytes(out[0], length) == "[]"
  end
end

-- Marks the empty arrays of a decoded value; with `all`, every array.
local function mark_arrays(value, pointer, is_empty_array, all)
  local is_array = value[1] ~= nil
  for name, child in pairs(value) do
    if type(child) == "table" then
      mark_arrays(child, pointer .. "/" .. (is_array and name - 1 or escape(name)), is_empty_array, all)
    end
  end
  if is_array and all or next(value) == nil and is_empty_array(pointer) then
    M.array(value)
  end
end

local function no_array()
  return false
end

local function decode(text, all)
  local value, has_empty_array = codec.decode(text), text:find("%[%s*%]") ~= nil
  if type(value) == "table" and (all or has_empty_array) then
    mark_arrays(value, "", has_empty_array and tell_empty_arrays(text) or no_array, all)
  end
  return value
end

-- A text that the grammar allows, as a read-only tree.
function M.decode(text)
  return shown(decode(text))
end

-- The same, as plain tables.
function M.decode_plain(text)
  return decode(text, true)
end

-- ---- encoding ----------------------------------------------------------------------------------

local function refuse(path, what)
  error({ refused = "not JSON: " .. what .. (#path > 0 and " at /" .. table.concat(path, "/") or "") }, 0)
end

-- The shortest digits that give the same number again.
local function encode_number(number, path)
  if number ~= number or number == math.huge or number == -math.huge then
    refuse(path, "the number " .. tostring(number))
  end
  if number == 0 and 1 / number < 0 then
    return "-0.0"
  end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(number)
    if tonumber(text) == number then
      return text
    end
  end
end

local function encode_cdata(value, path)
  if ffi.istype("int64_t", value) or ffi.istype("uint64_t", value) then
    return (tostring(value):gsub("U?LL$", ""))
  end
  if value == nil then -- a null pointer: cjson.null of some builds
    return "null"
  end
  refuse(path, "a cdata")
end

local encode -- below

-- How many elements an array has; nil: the table is not one.
local function array_length(value, path)
  local count, most, names = 0, 0, 0
  for name in next, value do
    if type(name) == "string" then
      names = names + 1
    elseif type(name) == "number" and name >= 1 and name % 1 == 0 then
      count, most = count + 1, math.max(most, name)
    else
      refuse(path, "a key of type " .. type(name) .. (type(name) == "number" and " (" .. name .. ")" or ""))
    end
  end
  if names > 0 and count > 0 then
    refuse(path, "a table with both names and numbers for keys")
  elseif most ~= count then
    refuse(path, "an array with holes (seqshare.null is for places without a value)")
  elseif count > 0 or (names == 0 and M.is_array(value)) then
    return count
  end
end

local function encode_child(name, child, path, above)
  path[#path + 1] = escape(name)
  local text = encode(child, path, above)
  path[#path] = nil
  return text
end

local function encode_table(value, path, above)
  local parts, length = {}, array_length(value, path)
  if above[value] then
    refuse(path, "a table that contains itself")
  elseif #path >= DEPTH then
    error({ refused = "not JSON: more than " .. DEPTH .. " tables in each other" }, 0)
  end
  above[value] = true
  if length then
    for index = 1, length do
      parts[index] = encode_child(index - 1, value[index], path, above)
    end
  else
    for name, child in next, value do
      parts[#parts + 1] = codec.encode(name) .. ":" .. encode_child(name, child, path, above)
    end
  end
  above[value] = nil
  local inside = table.concat(parts, ",")
  return length and "[" .. inside .. "]" or "{" .. inside .. "}"
end

function encode(value, path, above)
  local kind = type(value)
  if kind == "string" then
    return codec.encode(value)
  elseif kind == "number" then
    return encode_number(value, path)
  elseif kind == "boolean" then
    return tostring(value)
  elseif value == M.null then
    return "null"
  elseif is_view(value) then
    return encode_table(M.copy(value), path, above)
  elseif kind == "table" then
    return encode_table(value, path, above)
  elseif kind == "cdata" then
    return encode_cdata(value, path)
  end
  refuse(path, "a " .. kind .. (kind == "nil" and " (seqshare.null is JSON's null)" or ""))
end

-- The JSON text of a value; or nil, and what is wrong.
function M.encode(value)
  local is_done, result = pcall(encode, value, {}, {})
  if not is_done then
    if type(result) == "table" then
      return nil, result.refused
    end
    error(result, 0)
  end
  local why = library.why_not_json(result)
  if why then
    return nil, why
  end
  return result
end

return M
