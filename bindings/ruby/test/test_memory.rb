# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# The garbage collector: no memory, no descriptor and no thread is left behind, nothing is collected that is in use.
#
# Shows: no promise: nothing is left behind.

require "objspace"

require_relative "helper"

class TestMemory < SeqshareTest
  PUBLICATIONS = 2000

  def memory
    File.read("/proc/self/statm").split[1].to_i * Etc.sysconf(Etc::SC_PAGESIZE)
  end

  def descriptors
    Dir.children("/proc/self/fd").size
  end

  def publish(share, reader, times)
    times.times do |number|
      share.set({ "number" => number, "list" => Array.new(100) { |n| n.to_s }, "name#{number}" => { "text" => "x" * 100 } })
      raise "stale" unless reader.snapshot["number"] == number

      reader.document
      reader.bytes
      share.set_bytes("bad") && reader.snapshot if (number % 10).zero?
    end
  end

  def test_publications_leave_nothing_behind
    share = Seqshare.create(@path, 1 << 20, value: 0)
    reader = Seqshare.open(@path, logger: Class.new { def warn(_line) = nil }.new)
    publish(share, reader, 500)
    GC.start
    before = memory, descriptors, Thread.list.size, ObjectSpace.count_objects.then { |count| count[:TOTAL] - count[:FREE] }
    publish(share, reader, PUBLICATIONS)
    GC.start
    objects = ObjectSpace.count_objects.then { |count| count[:TOTAL] - count[:FREE] }
    assert_equal before[1..2], [descriptors, Thread.list.size]
    assert_operator objects - before[3], :<, PUBLICATIONS # less than one a publication
    assert_operator memory - before[0], :<, 8 << 20
  end

  def use
    share = Seqshare.open(@path)
    share.snapshot
    share.wait(0)
    share.lock { |held| held.document }
    share.close
    Seqshare.open(@path).snapshot # and those that nobody closes
    Seqshare.replace(@path, 1 << 20).close
  end

  def test_handles_leave_nothing_behind
    Seqshare.create(@path, 1 << 20, value: { "a" => 1 }).close
    30.times { use }
    GC.start
    before = descriptors, memory
    300.times { use }
    GC.start
    assert_operator descriptors - before[0], :<, 30 # a word on a stack may keep one
    assert_operator memory - before[1], :<, 8 << 20
  end

  def test_a_replaced_region_goes
    share = Seqshare.create(@path, 1 << 20, value: 0)
    reader = Seqshare.open(@path)
    before = nil
    200.times do |number|
      share.set(number) # the writer follows
      assert_equal number, reader.snapshot
      Seqshare.replace(@path, 1 << 20).close
      before = descriptors if number == 50
    end
    assert_operator descriptors, :<=, before
  end

  def test_the_collector_at_every_allocation
    GC.stress = true
    @share.set({ "list" => [{ "text" => "escaped\n" }, 2**80, 1.5], "name" => { "deep" => [[[]]] } })
    snapshot = @share.snapshot
    @share.update { |document| document["more"] = "x" * 50 }
    assert_equal [{ "text" => "escaped\n" }, 2**80, 1.5], snapshot["list"]
    assert_equal "x" * 50, @share.snapshot["more"]
    @share.set_bytes("bad")
    assert_equal "x" * 50, @share.snapshot["more"]
    typed = Seqshare.new(100, type: "L a8", type_name: "t")
    typed.set([1, "text"])
    assert_equal [1, "text\0\0\0\0"], typed.snapshot
  ensure
    GC.stress = false
  end

  def test_compaction
    skip "this Ruby does not compact" unless GC.respond_to?(:compact)
    shares = Array.new(20) { |n| Seqshare.new(1000).tap { |share| share.set({ "n" => [n, "text#{n}"] }) && share.snapshot } }
    shares += Array.new(5) { |n| Seqshare.new(100, type: "L", type_name: "t").tap { |share| share.set([n]) && share.snapshot } }
    3.times do
      GC.respond_to?(:verify_compaction_references) ? verify_compaction : GC.compact
      shares[0, 20].each_with_index { |share, n| assert_equal({ "n" => [n, "text#{n}"] }, share.snapshot) }
      shares[20, 5].each_with_index { |share, n| assert_equal [n], share.tap { share.set([n]) }.snapshot }
    end
  end

  # Every object is moved that can be.
  def verify_compaction
    options = RUBY_VERSION >= "3.2" ? { expand_heap: true, toward: :empty } : { double_heap: true, toward: :empty }
    GC.verify_compaction_references(**options)
  rescue NotImplementedError
    GC.compact
  end

  def test_automatic_compaction_while_versions_change
    skip "this Ruby does not compact" unless GC.respond_to?(:auto_compact=)
    GC.auto_compact = true
    200.times do |n|
      @share.set({ "n" => n, "list" => Array.new(50) { |m| "#{n}-#{m}" } })
      GC.start if (n % 20).zero?
      assert_equal "#{n}-49", @share.snapshot["list"][49]
    end
  ensure
    GC.auto_compact = false if GC.respond_to?(:auto_compact=)
  end

  # An old share refers to a young document: the write barrier's business.
  def test_old_shares_with_young_documents
    4.times { GC.start }
    100.times do |n|
      @share.set(["young#{n}"])
      @share.snapshot
      GC.start(full_mark: false)
      Array.new(1000) { "garbage" * 3 }
      assert_equal ["young#{n}"], @share.snapshot
    end
  end

  def test_its_size_is_known
    assert_operator ObjectSpace.memsize_of(@share), :>, 100
  end
end
