# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Read, modify, write: sells PIECES, one by one. ruby update.rb [PIECES]
require "seqshare"

stock =
  begin
    Seqshare.create("stock", 4096, value: { "left" => 1_000_000, "sold" => 0 })
  rescue Seqshare::ExistsError
    Seqshare.open("stock")
  end

ARGV.first.to_i.times do
  stock.update(timeout: 60) do |document|
    document["left"] -= 1
    document["sold"] += 1
  end
end
puts "#{stock.snapshot["left"]} left, #{stock.snapshot["sold"]} sold"
