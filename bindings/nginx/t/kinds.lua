-- SPDX-License-Identifier: MIT
-- For wrk: which kinds of answers there were. A header X-Theme must say what the page says.
local threads, seen = {}, {}

function setup(thread)
    table.insert(threads, thread)
end

function init()
    kinds = ""
end

function response(status, headers, body)
    local theme = headers["X-Theme"]
    local page = body:match("^[^<\n]*")
    local kind = status .. "|" .. (theme and theme ~= page and "mixed: " .. theme .. " and " or "") .. page
    if not seen[kind] then
        seen[kind] = true
        kinds = kinds .. "kind " .. kind .. "\n"
    end
end

function done()
    for _, thread in ipairs(threads) do
        io.write(thread:get("kinds"))
    end
end
