-- SPDX-License-Identifier: MIT
-- Read, modify, write: sells PIECES, one by one. luajit update.lua [PIECES]
local seqshare = require("seqshare")

local stock = seqshare.create("stock", 4096, { value = { left = 1000000, sold = 0 } })
    or assert(seqshare.open("stock", { write = true }))

local function sell_one(document)
    document.left = document.left - 1
    document.sold = document.sold + 1
    return document
end

for _ = 1, tonumber(arg[1] or 0) do
    assert(stock:update(sell_one))
end
local now = assert(stock:get())
print(now.left .. " left, " .. now.sold .. " sold")
