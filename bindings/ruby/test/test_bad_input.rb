# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Whatever is passed in: an exception that says what is wrong, and never a crash.
#
# Shows: NAME-4.

require_relative "helper"

class TestBadInput < SeqshareTest
  def test_names
    error = assert_raises(Seqshare::NotFoundError) { Seqshare.open(@path) }
    assert_equal Errno::ENOENT::Errno, error.errno
    assert_includes error.message, @path
    assert_raises(ArgumentError) { Seqshare.open("a\0b") }
    [nil, 1, Object.new, [], :shop].each { |name| assert_raises(TypeError, name.inspect) { Seqshare.open(name) } }
    assert_kind_of Seqshare::Error, (Seqshare.open("") rescue $!)
    assert_kind_of Seqshare::Error, (Seqshare.open("x" * 10_000) rescue $!)
    assert_raises(Seqshare::NotFoundError) { Seqshare.unlink(@path) }
    Seqshare.create(@path, 10)
    assert_raises(Seqshare::ExistsError) { Seqshare.create(@path, 10) }
    require "pathname"
    assert_equal @path, Seqshare.open(Pathname.new(@path)).name
    assert Seqshare.open(@path).name.frozen?
  end

  def test_files_that_are_no_shares
    ["", "x", "x" * 10_000, "seqshare" * 1000].each do |bytes|
      File.binwrite(@path, bytes)
      assert_raises(Seqshare::DocumentError) { Seqshare.open(@path) }
    end
    assert_kind_of Seqshare::Error, (Seqshare.open(@folder) rescue $!)
    File.symlink(@path, "#{@path}.link")
    assert_kind_of Seqshare::Error, (Seqshare.open("#{@path}.link") rescue $!)
  end

  def test_every_byte_of_the_header
    Seqshare.create(@path, 4096, value: { "n" => 1 }).close
    bytes = File.binread(@path)
    (0...640).each do |at|
      broken = bytes.dup
      broken.setbyte(at, broken.getbyte(at) ^ 0xff)
      File.binwrite(@path, broken)
      begin
        share = Seqshare.open(@path, write: false, logger: @log)
        share.snapshot
        share.bytes
        share.stat
      rescue Seqshare::Error => error
        assert_kind_of Integer, error.errno
      ensure
        share&.close
      end
    end
  end

  def test_arguments
    [0, -1, 2**70, "x", nil, 1.0e30].each do |size|
      assert_raises(ArgumentError, TypeError, RangeError, FloatDomainError, Seqshare::Error) { Seqshare.new(size) }
    end
    assert_raises(Seqshare::Error) { Seqshare.new(100, slots: 3) }
    assert_raises(ArgumentError) { Seqshare.new(100, codec: :yaml) }
    assert_raises(ArgumentError) { Seqshare.new(100, strange: 1) }
    assert_raises(ArgumentError) { Seqshare.new }
    assert_raises(RangeError) { @share.set_bytes("x", -1) }
    assert_raises(RangeError) { @share.set_bytes("x", 2**32) }
    assert_raises(TypeError) { @share.set_bytes(1) }
    assert_raises(ArgumentError) { @share.on_change }
    [:new, :allocate].each { |verb| assert_raises(NoMethodError, Seqshare::Error) { Seqshare::Share.public_send(verb).snapshot } }
    assert_raises(NoMethodError) { @share.dup }
    assert_raises(TypeError) { Marshal.dump(@share) }
  end

  def test_a_share_that_was_never_opened
    empty = Seqshare::Share.allocate
    %i[snapshot bytes version stat].each { |verb| assert_raises(Seqshare::ClosedError, verb.to_s) { empty.public_send(verb) } }
    assert_nil empty.close
    assert_raises(NoMethodError) { empty.set(1) }
  end

  def test_what_a_logger_raises_goes_on
    logger = Object.new
    def logger.warn(_line) = raise("from the logger")
    share = Seqshare.new(100, logger: logger)
    share.set([1])
    share.snapshot
    share.set_bytes("bad")
    assert_equal "from the logger", assert_raises(RuntimeError) { share.snapshot }.message
    assert_equal [1], share.snapshot
  end

  def test_a_logger_that_closes_the_share
    logger = Object.new
    share = Seqshare.new(100, logger: logger)
    logger.define_singleton_method(:warn) { |_line| share.close }
    share.set([1])
    share.snapshot
    share.set_bytes("bad")
    assert_raises(Seqshare::ClosedError) { share.snapshot }
  end

  def test_strings_that_convert_badly
    strange = Object.new
    def strange.to_str = 5
    assert_raises(TypeError) { @share.set_bytes(strange) }
    strange = Class.new(Hash) { def to_h = raise("never") }.new
    assert_raises(RuntimeError) { @share.set(strange.merge!("a" => 1)) }
    text = Class.new(String) { def encode(*) = 5 }.new("x")
    assert_raises(NoMethodError, TypeError) { @share.set([text]) }
    assert_equal 0, @share.version
  end
end
