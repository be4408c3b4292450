# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Ruby: the gem seqshare.

require "json"
require "seqshare"

LOG = Object.new
def LOG.warn(_line) = nil # the answer says what is wrong

share = Seqshare.open(ARGV.fetch(0), logger: LOG)
$stdout.sync = true

answers = {
  "publish" => lambda do |text|
    share.set(JSON.parse(text.force_encoding(Encoding::UTF_8), max_nesting: 512))
    "ok"
  end,
  "snapshot" => lambda do |_|
    document = JSON.generate(share.snapshot, max_nesting: 512)
    "ok #{share.version} #{document.unpack1("H*")}"
  end
}

puts "ready"
$stdin.each_line(chomp: true) do |line|
  word, text = line.split(" ", 2)
  puts answers.fetch(word).call([text.to_s].pack("H*"))
rescue StandardError => error
  puts "#{word == "publish" ? "refused" : "none"} #{error.message.gsub(/\s+/, " ")}"
end
