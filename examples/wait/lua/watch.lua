-- SPDX-License-Identifier: MIT
-- Acts on each change of a document, and sleeps in between.
local seqshare = require("seqshare")

local config = assert(seqshare.open("shop"))
io.stdout:setvbuf("no")

while true do
    local seen = config:version()
    local document = assert(config:get())
    print("the rate is " .. tostring(document.rate))
    config:wait(seen)
end
