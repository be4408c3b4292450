# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# A Rack application that looks at a flag on every request: for Puma, and for Unicorn.
require "seqshare"

CONFIG = Seqshare.open("shop", write: false) # before or after the fork

run(lambda do |_environment|
  dark = CONFIG.snapshot.dig("flags", "dark") # decoded once per version, deeply frozen
  [200, { "content-type" => "text/plain" }, [dark ? "dark\n" : "light\n"]]
end)
