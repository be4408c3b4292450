rockspec_format = "3.0"
package = "lua-resty-seqshare"
version = "0.1.0-1"
source = {
  url = "file://lua-resty-seqshare-0.1.0.tar.gz",
}
description = {
  summary = "Hot configuration that nginx's workers and all other processes of a machine share",
  detailed = [[
    A look at a flag in every request, a change that all workers see at their next look, and the last good document when
    somebody publishes a bad one. Readers take no lock, and a worker that is killed harms nobody. Needs LuaJIT and the
    library seqshare.]],
  license = "MIT",
}
dependencies = {
  "lua == 5.1",
  "lua-cjson >= 2.1.0",
}
build = {
  type = "builtin",
  modules = {
    ["resty.seqshare"] = "lib/resty/seqshare.lua",
    ["resty.seqshare.abi"] = "lib/resty/seqshare/abi.lua",
    ["resty.seqshare.document"] = "lib/resty/seqshare/document.lua",
    ["resty.seqshare.feed"] = "lib/resty/seqshare/feed.lua",
    ["resty.seqshare.last_good"] = "lib/resty/seqshare/last_good.lua",
    ["resty.seqshare.library"] = "lib/resty/seqshare/library.lua",
    ["resty.seqshare.reader"] = "lib/resty/seqshare/reader.lua",
    ["resty.seqshare.wait"] = "lib/resty/seqshare/wait.lua",
    ["resty.seqshare.writer"] = "lib/resty/seqshare/writer.lua",
    seqshare = "lib/seqshare.lua",
  },
}
