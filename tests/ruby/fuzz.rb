# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Ruby's own values, types and calls at random: exceptions are fine, crashes are not. What is decoded is what json
# decodes. Prints its seed.
#
#     ruby fuzz.rb SECONDS FOLDER [CORPUS...]

require "json"
require "seqshare"
require "timeout"

SECONDS, FOLDER, *CORPUS = ARGV
SEED = Integer(ENV["SEED"] || Random.new_seed % 2**32)
RANDOM = Random.new(SEED)
puts "seed #{SEED}"

LOG = Object.new
def LOG.warn(_line) = nil

EXPECTED = [TypeError, ArgumentError, RangeError, Seqshare::Error, NoMethodError, FrozenError, EncodingError, LocalJumpError,
            FloatDomainError, SystemCallError, IOError, Timeout::Error, FiberError].freeze
STRANGE = [nil, true, Object.new, 2**70, -1, 0.1, Float::NAN, :symbol, 1..2, Class, "", "a\0b", "\xff", "\xff".b, "x" * 70_000,
           "é".encode("UTF-16LE"), 1r, 1i, Time.now, Struct.new(:a).new(1), $stdin, Thread.current, [], {}, ->(x) { x }].freeze

def value(depth = 0)
  case RANDOM.rand(12)
  when 0..3 then STRANGE.sample(random: RANDOM)
  when 4 then RANDOM.rand(-2**66..2**66)
  when 5 then [RANDOM.bytes(8)].first.unpack1("D")
  when 6 then RANDOM.bytes(RANDOM.rand(40)).force_encoding(%w[UTF-8 BINARY UTF-16LE EUC-JP].sample(random: RANDOM))
  when 7, 8 then depth > 5 ? [] : Array.new(RANDOM.rand(4)) { value(depth + 1) }
  when 9, 10 then depth > 5 ? {} : Array.new(RANDOM.rand(4)) { [value(depth + 1), value(depth + 1)] }.to_h
  else "text#{RANDOM.rand(100)}"
  end
end

def tried
  yield
rescue *EXPECTED
  nil
end

LEFT_ALONE = %i[close wait watch on_change drop_write to_io].freeze
METHODS = (Seqshare::Share.instance_methods(false) + Seqshare::Share.private_instance_methods(false) - LEFT_ALONE).freeze

def call_something(share)
  name = METHODS.sample(random: RANDOM)
  arguments = Array.new(RANDOM.rand(4)) { value }
  tried { Timeout.timeout(5) { RANDOM.rand(2).zero? ? share.__send__(name, *arguments) { value } : share.__send__(name, *arguments) } }
end

def make_something
  options = { write: value, codec: %i[json bytes].sample(random: RANDOM), type: [nil, value].sample(random: RANDOM), type_name: value,
              slots: value, value: value, mode: value }.to_a.sample(RANDOM.rand(4), random: RANDOM).to_h
  verb = %i[open new create replace attach].sample(random: RANDOM)
  tried { Seqshare.public_send(verb, *[value, value].first(RANDOM.rand(1..2)), **options).close }
end

def round_trip(share, found)
  tried { share.set(found) } or return
  expected = JSON.parse(JSON.generate(share.document, max_nesting: 600), max_nesting: 600)
  abort "#{found.inspect} comes back as #{share.snapshot.inspect}" unless share.snapshot == expected && Ractor.shareable?(expected = share.snapshot)
end

# Of a text that the grammar takes, json makes the same.
def decode(share, text)
  fault = Seqshare::Native.check_json(text)
  found = Seqshare::Native.decode_json(text)
  abort "check and decode differ: #{text.inspect}" if fault && !found.nil?
  return if fault

  json = JSON.parse(text.dup.force_encoding("UTF-8"), max_nesting: 600)
  abort "#{text.inspect} is #{found.inspect}, and not #{json.inspect}" unless found.inspect == json.inspect
  share.set_bytes(text)
  abort "not in use: #{text.inspect}" unless share.snapshot.inspect == json.inspect
end

def mutated(text)
  text = text.b
  RANDOM.rand(4).times { text.setbyte(RANDOM.rand(text.bytesize), RANDOM.rand(256)) } unless text.empty?
  text
end

Dir.chdir(FOLDER)
texts = CORPUS.map { |path| File.binread(path) } + ["[]", '{"a":[1,2.5,"\u00e9",null,true]}', "[1e5,-0.0,123456789012345678901]"]
ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + Integer(SECONDS)
share = Seqshare.new(1 << 16, logger: LOG)
rounds = 0
while Process.clock_gettime(Process::CLOCK_MONOTONIC) < ends
  share = Seqshare.new(1 << 16, logger: LOG) if share.closed? || !share.writable?
  decode(share, mutated(texts.sample(random: RANDOM)))
  round_trip(share, value)
  3.times { call_something(share) }
  make_something
  GC.compact if (rounds % 500).zero? && GC.respond_to?(:compact)
  rounds += 1
end
puts "#{rounds} rounds"
