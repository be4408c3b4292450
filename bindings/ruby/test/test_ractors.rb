# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Ractors: documents go from one to the other, and each opens a share of its own.
#
# Shows: no promise: the extension may be used by several Ractors at once.

require_relative "helper"

class TestRactors < SeqshareTest
  def setup
    super
    skip "this Ruby has no Ractors" unless defined?(Ractor)
    Warning[:experimental] = false
  end

  def result_of(ractor)
    ractor.respond_to?(:value) ? ractor.value : ractor.take
  end

  def test_a_document_is_passed_without_a_copy
    @share.set({ "list" => [1, "x", { "deep" => nil }] })
    found = Ractor.new(@share.snapshot) { |document| [document.object_id, document["list"][2]] }
    assert_equal [@share.snapshot.object_id, { "deep" => nil }], result_of(found)
  end

  def test_each_opens_its_own
    Seqshare.create(@path, 1 << 16, value: { "n" => 0 })
    ractors = Array.new(3) do
      Ractor.new(@path) do |path|
        share = Seqshare.open(path)
        100.times { share.update { |document| document["n"] += 1 } && share.snapshot }
        share.snapshot.frozen?
      end
    end
    seen = Seqshare.open(@path)
    last = 0
    eventually("300 updates") { (last = seen.snapshot["n"].tap { |n| assert_operator n, :>=, last }) == 300 }
    assert_equal [true] * 3, ractors.map { |ractor| result_of(ractor) }
  end

  # Ruby 3.3 may move a Ractor's threads between native ones, to which the lock belongs. (One thread in each: with
  # several, Ruby 3.3.8 hangs now and then, without seqshare as well.)
  def test_locks_in_a_ractor
    Seqshare.create(@path, 1 << 16, value: { "n" => 0 })
    count = Array.new(2) do
      Ractor.new(@path) do |path|
        share = Seqshare.open(path)
        150.times { share.update { |document| document["n"] += 1 } }
        share.lock { |held| held.document["n"] } rescue $!.errno
      end
    end
    found = count.map { |ractor| result_of(ractor) }
    assert_equal({ "n" => 300 }, Seqshare.open(@path).snapshot)
    moves = RUBY_VERSION >= "3.3" && !Seqshare::Native::CAN_STAY
    found.each { |n| moves ? assert_equal(Errno::EOPNOTSUPP::Errno, n) : assert_includes(150..300, n) }
  end

  def test_waiting_and_bad_values_in_a_ractor
    Seqshare.create(@path, 1 << 16, value: { "n" => 0 })
    ractor = Ractor.new(@path) do |path|
      share = Seqshare.open(path, logger: Object.new.tap { |logger| def logger.warn(line) = (@lines ||= []) << line })
      share.snapshot
      File.write("#{path}.ready", "")
      seen = []
      share.watch(since: 0) { |document| seen << document["n"] and break if document["n"] == 9 }
      [seen, (share.set({ 1 => 2 }) rescue $!.class), share.stat[:failed]]
    end
    share = Seqshare.open(@path)
    eventually("the first look") { File.exist?("#{@path}.ready") }
    share.set_bytes("bad")
    eventually { share.stat[:version] == 2 }
    share.set({ "n" => 9 })
    assert_equal [[9], TypeError], result_of(ractor)[0, 2]
  end

  def test_a_share_stays_in_its_ractor
    refute Ractor.shareable?(@share)
    assert_raises(TypeError, Ractor::Error) { Ractor.make_shareable(@share) && Ractor.new(@share) { |share| share.snapshot }.take }
  end
end
