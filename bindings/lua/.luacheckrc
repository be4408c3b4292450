-- SPDX-License-Identifier: MIT
std = "luajit"
max_line_length = 160
files["lib/resty/seqshare/abi.lua"].max_line_length = false
files["t/*.lua"].globals = { "TestAbi", "TestBadInput", "TestBadValues", "TestChanges", "TestCuts", "TestDocuments", "TestLeaks", "TestLock",
  "TestNames", "TestNginx", "TestReadOnly", "TestRecipes", "TestVersions", "TestWaiting" }
