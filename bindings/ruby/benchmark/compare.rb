# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What a look at a configuration of 4.4 kB costs, beside what Ruby programs use instead: ratios of one run.
#
#     ruby [--yjit] benchmark/compare.rb [--quick]
#
# Each way is asked for one flag of the same document while nothing changes, as on a request. Rounds of all ways
# alternate; the least of them counts. A plain hash is the limit: no other process can change it.

require "json"
require "tmpdir"

require "seqshare"

QUICK = ARGV.include?("--quick")
ROUNDS, SECONDS = QUICK ? [3, 0.02] : [15, 0.1]
DOCUMENT = { "flags" => { "dark" => true }, "limits" => { "rate" => 100 },
             "routes" => Array.new(170) { |number| "/path/#{number}/to/something" } }.freeze
TEXT = JSON.generate(DOCUMENT)
FOLDER = Dir.mktmpdir
at_exit { FileUtils.rm_rf(FOLDER) }

# ---- the ways: each is a loop, so that no call of a block is measured ----

CONFIG = Seqshare.create("#{FOLDER}/share", 1 << 20, value: DOCUMENT)
PATH = "#{FOLDER}/config.json"
File.write(PATH, TEXT)

def by_hash(times)
  number = 0
  while (number += 1) <= times
    DOCUMENT["flags"]["dark"]
  end
end

# As a program's own class would give it.
class Holder
  def initialize(document)
    @document = document
  end

  def snapshot
    @document
  end
end

HOLDER = Holder.new(DOCUMENT)

def by_method(times)
  number = 0
  while (number += 1) <= times
    HOLDER.snapshot["flags"]["dark"]
  end
end

def by_seqshare(times)
  number = 0
  while (number += 1) <= times
    CONFIG.snapshot["flags"]["dark"]
  end
end

def by_file(times)
  times.times { JSON.parse(File.read(PATH))["flags"]["dark"] }
end

def by_redis(times)
  times.times { JSON.parse($redis.get("config"))["flags"]["dark"] }
end

def redis?
  require "redis"
  path = "#{FOLDER}/redis"
  server = spawn("redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", FOLDER, out: File::NULL)
  at_exit { Process.kill(:TERM, server) && Process.wait(server) }
  sleep 0.01 until File.socket?(path)
  $redis = Redis.new(path: path)
  $redis.set("config", TEXT)
rescue LoadError, Errno::ENOENT
  warn "Redis: left out, redis-server or ruby-redis is not installed"
  nil
end

# ---- measuring ----

def clock
  Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
end

# Nanoseconds a call, in one round; by the time on the wall for what waits for another process.
def once(way)
  read = way == :by_redis ? -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) } : method(:clock)
  times = 1
  loop do
    begun = read.call
    send(way, times)
    took = read.call - begun
    return took * 1e9 / times if took >= SECONDS

    times = [times * 2, (times * SECONDS / [took, 1e-7].max).to_i].max
  end
end

def measure(ways)
  best = Hash.new(Float::INFINITY)
  ROUNDS.times { ways.each { |way| best[way] = [best[way], once(way)].min } }
  best
end

def processor
  File.foreach("/proc/cpuinfo").grep(/\Amodel name/).first&.split(": ")&.last&.strip || "an unknown processor"
end

looks = { by_hash: ["plain hash", "a constant, the limit: one process"],
          by_method: ["plain hash", "that a method returns: one process"], by_seqshare: ["seqshare", "decoded once a version"],
          by_file: ["file + JSON.parse", "read at each look"] }
looks[:by_redis] = ["Redis", "a Unix socket, and JSON.parse"] if redis?
best = measure(looks.keys)
jit = defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled? ? "with YJIT" : "without a JIT compiler"
puts "Ruby #{RUBY_VERSION} #{jit}, #{processor}, a document of #{TEXT.bytesize} bytes, nothing changes", ""
puts "| a look at one flag | | ns | as many times a plain hash |", "| --- | --- | ---: | ---: |"
looks.sort_by { |way, _| best[way] }.each do |way, (name, what)|
  puts format("| %s | %s | %.0f | %.2f x |", name, what, best[way], best[way] / best[:by_hash])
end
