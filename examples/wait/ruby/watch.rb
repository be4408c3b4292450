# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Acts on each change of a document, and sleeps in between.
require "seqshare"

$stdout.sync = true
Seqshare.open("shop", write: false).watch(since: 0) do |document|
  puts "the rate is #{document["rate"]}"
end
