-- SPDX-License-Identifier: MIT
-- Writes lib/resty/seqshare/abi.lua from the library's headers: functions, structs and constants, as LuaJIT reads
-- them. `luajit generate.lua INCLUDE`, where INCLUDE is the folder that holds seqshare/seqshare.h, prints the file.
-- t/abi.lua compares it with the file, and with what the C compiler makes of the headers.

local include = assert(arg[1], "usage: luajit generate.lua INCLUDE")

local STRUCTS = { "seqshare_reading", "seqshare_view", "seqshare_stat", "seqshare_feed_1" }
local CONSTANTS = { "SEQSHARE_TAG_JSON", "SEQSHARE_TAG_CBOR" }
local lines = {}

local function add(text)
  local line = text:gsub("__attribute__%s*%(%b()%)", ""):gsub("mode_t", "unsigned"):gsub("%s+", " "):gsub(" ;", ";")
  lines[#lines + 1] = line
end

-- Without comments, and the directives of the preprocessor apart.
local function read(header)
  local file = assert(io.open(include .. "/seqshare/" .. header))
  local text = file:read("*a"):gsub("/%*.-%*/", "")
  file:close()
  return text:gsub("\n#[^\n]*", ""), text
end

local function add_header(header)
  local text, with_directives = read(header)
  for body in text:gmatch("\nenum (%b{});") do
    add("enum " .. body .. ";")
  end
  for _, name in ipairs(STRUCTS) do
    local body = text:match("struct " .. name .. " (%b{})")
    if body then
      add("typedef struct " .. name .. " " .. body .. " " .. name .. ";")
    end
  end
  for _, name in ipairs(CONSTANTS) do
    local value = with_directives:match("#define " .. name .. " UINT32_C%((0x%x+)%)")
    if value then
      add("static const uint32_t " .. name .. " = " .. value .. ";")
    end
  end
  for declaration, last in text:gmatch("\nSEQSHARE_%u+%s+([^;{]*)([;{])") do
    if last == ";" then -- and no body, as the inline functions have further down
      add(declaration .. ";")
    end
  end
end

add("typedef struct seqshare seqshare;")
add_header("seqshare.h")
add_header("typed.h")
add_header("feed.h")
add("typedef struct seqshare_json seqshare_json;")
add("typedef struct json_object seqshare_json_value;")
add("typedef struct seqshare_json_pointer seqshare_json_pointer;")
add_header("json.h")

print([[
-- SPDX-License-Identifier: MIT
-- What the C headers declare. Made by generate.lua: do not edit.

require("ffi").cdef([=[]])
print(table.concat(lines, "\n"))
print("]=])")
