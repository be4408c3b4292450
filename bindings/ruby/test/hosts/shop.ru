# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What the servers of the tests run.

require "json"
require "seqshare"

CONFIG = Seqshare.open(ENV.fetch("SHOP_CONFIG"), write: false)
CHANGES = Queue.new

application = lambda do |environment|
  if environment["PATH_INFO"] == "/watch" # in this worker, from now on
    CONFIG.on_change { |document| CHANGES << document["n"] }
  end
  found = { "pid" => Process.pid, "n" => CONFIG.snapshot["n"], "changes" => CHANGES.size }
  [200, { "content-type" => "application/json" }, [JSON.generate(found)]]
end

run application
