-- SPDX-License-Identifier: MIT
-- The short name of resty.seqshare.
return require("resty.seqshare")
