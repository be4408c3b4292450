# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What the tests have in common: shares of their own, children that report, and waiting for events.

require "minitest/autorun"
require "rbconfig"
require "tmpdir"

require "seqshare"

# What is reported, in place of the standard error.
class Log
  attr_reader :lines

  def initialize
    @lines = []
  end

  def warn(line)
    @lines << line
  end
end

# A forked process that runs a block; its result comes through a pipe.
class Child
  attr_reader :pid

  def initialize(&block)
    @answer, write = IO.pipe(binmode: true)
    @pid = fork { run(write, block) }
    write.close
  end

  def result
    good, value = Marshal.load(@answer.read)
    Process.wait(@pid)
    raise "in the child: #{value}" unless good

    value
  end

  def kill
    Process.kill(:KILL, @pid)
    Process.wait(@pid)
    @answer.close
  end

  private

  def run(write, block)
    @answer.close
    answer = begin
      [true, block.call]
    rescue Exception => error # rubocop:disable Lint/RescueException
      [false, error.full_message(highlight: false)]
    end
    write.write(Marshal.dump(answer))
    write.close
  ensure
    exit!(0)
  end
end

class SeqshareTest < Minitest::Test
  HANGS = 60 # seconds

  def setup
    @folder = Dir.mktmpdir("seqshare")
    @path = "#{@folder}/share"
    @log = Log.new
    @share = Seqshare.new(1 << 20, logger: @log)
  end

  def teardown
    @share.close
    FileUtils.rm_rf(@folder)
  end

  # Asks until the block says yes.
  def eventually(what = "it")
    deadline = now + HANGS
    until (answer = yield)
      flunk("#{what} did not happen") if now > deadline
      sleep 0.01
    end
    answer
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # The thread's value; it must not hang.
  def value_of(thread)
    refute_nil thread.join(HANGS), "a thread hangs: #{thread.backtrace&.first}"
    thread.value
  end

  # It sleeps in the library, and not in Ruby.
  def asleep?(thread)
    thread.stop? || thread.status == "sleep" || thread.backtrace&.first.to_s.match?(/with_lock|wait_for|publish/)
  end

  # A program of its own, in a new Ruby: what it printed, and its status.
  def program(text, *arguments, ruby: [])
    flags = $LOAD_PATH.first(3).flat_map { |folder| ["-I", folder] }
    output = IO.popen([RbConfig.ruby, *flags, *ruby, "-rseqshare", "-e", text, *arguments], err: %i[child out], &:read)
    [output, $?]
  end
end
