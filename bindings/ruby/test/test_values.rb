# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Values: documents and bytes, what may be one, and what is refused.
#
# Shows: READ-1, WRITE-2, WRITE-3, JSON-1, JSON-2.

require_relative "helper"

class TestValues < SeqshareTest
  DOCUMENTS = [
    {}, [], "", 0, -1, true, false, nil, 2**62, 2**63, 2**64 - 1, -2**63, 10**300, 0.1, -0.0, 1e300, 5e-324, 1.0,
    1.7976931348623157e308, { "a" => { "b" => [1, [2.5, nil, [], {}]] } }, { "" => { "" => "" } },
    { "ключ" => "значение", "😀" => "a\u0000b\u2028\"\\/\b\f\n\r\t" }, Array.new(1000) { |n| { "n#{n}" => n } }
  ].freeze

  def test_a_document_comes_back
    DOCUMENTS.each do |document|
      @share.set(document)
      assert_equal [document], [@share.snapshot]
      assert_equal document.class, @share.snapshot.class
      assert_equal [document], [@share.document]
    end
    assert_equal 1 / -0.0, 1 / @share.tap { |share| share.set([-0.0]) }.snapshot[0]
  end

  def test_symbols_become_strings
    @share.set({ flags: { dark: :yes }, "plain" => [:a] })
    assert_equal({ "flags" => { "dark" => "yes" }, "plain" => ["a"] }, @share.snapshot)
  end

  def test_of_two_names_the_last_stays
    @share.set({ "a" => 1, a: 2 })
    assert_equal({ "a" => 2 }, @share.snapshot)
    @share.set_bytes('{"a":1,"b":2,"a":3}')
    assert_equal({ "a" => 3, "b" => 2 }, @share.snapshot)
  end

  def test_a_snapshot_is_frozen_and_shareable
    @share.set({ "list" => [{ "text" => "x" }, 1.5, 2**80] })
    snapshot = @share.snapshot
    assert Ractor.shareable?(snapshot)
    assert_raises(FrozenError) { snapshot["list"][0]["text"] << "y" }
    assert_raises(FrozenError) { snapshot["list"] << 1 }
    assert_raises(FrozenError) { snapshot["other"] = 1 }
    assert_equal Encoding::UTF_8, snapshot["list"][0]["text"].encoding
  end

  def test_it_is_decoded_once_a_version
    @share.set({ "n" => 1 })
    first = @share.snapshot
    1000.times { assert_same first, @share.snapshot }
    @share.set({ "n" => 1 })
    refute_same first, @share.snapshot
    assert_equal 2, @share.stat[:decoded]
  end

  def test_document_is_the_callers_own
    @share.set({ "list" => [1, { "text" => "x" }] })
    mine = @share.document
    mine["list"][1]["text"] << "y"
    mine["list"] << 2
    assert_equal({ "list" => [1, { "text" => "x" }] }, @share.snapshot)
  end

  def test_the_deepest_document
    deepest = 511.times.reduce([]) { |inner, _| [inner] }
    @share.set(deepest)
    assert_equal deepest, @share.snapshot
    error = assert_raises(Seqshare::DocumentError) { @share.set([deepest]) }
    assert_match(/more than 512 deep/, error.message)
    assert_equal 1, @share.version
  end

  def test_a_cycle_is_refused
    list = []
    list << { "list" => list }
    assert_match(/contains itself/, assert_raises(Seqshare::DocumentError) { @share.set(list) }.message)
  end

  def test_numbers_that_are_none_are_refused
    [Float::NAN, Float::INFINITY, -Float::INFINITY].each do |number|
      error = assert_raises(Seqshare::DocumentError) { @share.set({ "n" => [number] }) }
      assert_match(/not a number in JSON/, error.message)
    end
    error = assert_raises(Seqshare::DocumentError) { @share.set([10**400]) }
    assert_match(/number/, error.message)
    assert_equal 0, @share.version
  end

  def test_objects_without_a_form_are_refused
    [Object.new, Time.now, 1..2, 1r, Class, ->() {}, Struct.new(:a).new(1)].each do |object|
      error = assert_raises(TypeError) { @share.set({ "x" => object }) }
      assert_match(/has no form in JSON/, error.message)
    end
    assert_match(/String or a Symbol/, assert_raises(TypeError) { @share.set({ 1 => 2 }) }.message)
    assert_match(/String or a Symbol/, assert_raises(TypeError) { @share.set({ nil => 2 }) }.message)
  end

  def test_encodings
    @share.set(["é".encode("ISO-8859-1"), "é".encode("UTF-16LE"), "é".b, "plain".encode("US-ASCII"), "é".freeze])
    assert_equal ["é", "é", "é", "plain", "é"], @share.snapshot
    ["\xff", "\xff".b, "\xd8\x00".dup.force_encoding("UTF-16BE"), "\xc0\xaf", "\x81".dup.force_encoding("Shift_JIS")].each do |bad|
      assert_match(/UTF-8/, assert_raises(Seqshare::DocumentError) { @share.set([bad]) }.message)
      assert_match(/UTF-8/, assert_raises(Seqshare::DocumentError) { @share.set({ bad => 1 }) }.message)
    end
  end

  def test_a_zero_character_in_a_name_is_refused
    assert_match(/zero|NUL|name/i, assert_raises(Seqshare::DocumentError) { @share.set({ "a\0b" => 1 }) }.message)
  end

  def test_a_value_is_not_changed_by_publishing
    value = { a: ["x".encode("ISO-8859-1")] }
    @share.set(value)
    assert_equal [:a], value.keys
    assert_equal Encoding::ISO_8859_1, value[:a][0].encoding
  end

  def test_bad_values_are_tried_and_said_once
    @share.set({ "n" => 1 })
    good = @share.snapshot
    @share.set_bytes('{"n": ')
    500.times { assert_same good, @share.snapshot }
    assert_equal 1, @share.stat[:failed]
    assert_equal 1, @log.lines.size
    assert_match(/version 2 is not used: .*line 1.*; the last good document stays/, @log.lines[0])
    @share.set_bytes("[1]", Seqshare::Native.tag("strange", 0))
    500.times { assert_same good, @share.snapshot }
    assert_equal 2, @log.lines.size
    assert_match(/type tag/, @log.lines[1])
    @share.set({ "n" => 2 })
    assert_equal({ "n" => 2 }, @share.snapshot)
    assert_equal 2, @log.lines.size
  end

  def test_without_a_good_value
    assert_raises(Seqshare::NoValueError) { @share.snapshot }
    @share.set_bytes("nonsense")
    2.times do
      error = assert_raises(Seqshare::DocumentError) { @share.snapshot }
      assert_match(/version 1 is not used: not JSON/, error.message)
    end
    assert_raises(Seqshare::DocumentError) { @share.document }
    assert_equal 1, @log.lines.size
    @share.set([1])
    assert_equal [1], @share.snapshot
  end

  def test_trouble_goes_to_standard_error
    share = Seqshare.new(100)
    _out, said = capture_io do
      share.set_bytes("[")
      3.times { assert_raises(Seqshare::DocumentError) { share.snapshot } }
    end
    assert_equal 1, said.lines.size
    assert_match(/\Aseqshare: a share without a name: version 1/, said)
  end

  def test_what_json_takes_and_the_grammar_does_not
    @share.set([0])
    assert_equal [0], @share.snapshot
    ["[1,]", "[NaN]", "// x\n[1]", "[1] /* x */", '["\ud800"]', "[01]", "\u{feff}[1]", "[1]\n[2]", "[1]\0", "\0", "", " ", '{"a":1'].each do |text|
      @share.set_bytes(text)
      assert_equal [0], @share.snapshot, text
      assert_raises(Seqshare::DocumentError, text) { @share.document }
    end
  end

  def test_exact_floats
    long = "0.#{"0" * 20}#{"1234567890" * 9}"
    @share.set_bytes("[#{long},123456789012345678901234567890.5,1E-3,1e+2]")
    assert_equal [Float(long), 123456789012345678901234567890.5, 0.001, 100.0], @share.snapshot
  end

  def test_versions
    assert_equal 0, @share.version
    assert_equal 1, @share.set_if(0, { "n" => 1 })
    error = assert_raises(Seqshare::StaleError) { @share.set_if(0, { "n" => 2 }) }
    assert_equal [1, Errno::ESTALE::Errno], [error.version, error.errno]
    assert_equal 2, @share.set_if(1, { "n" => 2 })
    assert_equal({ "n" => 2 }, @share.snapshot)
    assert_raises(RangeError) { @share.set_if(-1, {}) }
    assert_raises(RangeError) { @share.set_if(2**64, {}) }
    assert_raises(TypeError) { @share.set_if("1", {}) }
  end

  def test_bytes
    @share.set({ "n" => 1 })
    assert_equal '{"n":1}', @share.bytes
    assert_equal Encoding::BINARY, @share.bytes.encoding
    raw = Seqshare.new(100_000, codec: :bytes)
    raw.set("\0\xff".b)
    assert_equal "\0\xff".b, raw.snapshot
    assert raw.snapshot.frozen?
    raw.set("x" * 100_000)
    assert_equal 100_000, raw.bytes.bytesize
    raw.set("")
    assert_equal "", raw.snapshot
    assert_raises(TypeError) { raw.set(1) }
    raw.update { |bytes| bytes << "more" }
    assert_equal "more", raw.snapshot
  end

  def test_too_long_a_value
    share = Seqshare.new(10)
    error = assert_raises(Seqshare::Error) { share.set("x" * 10) }
    assert_equal Errno::EMSGSIZE::Errno, error.errno
    assert_equal 0, share.version
  end

  def test_update
    assert_equal({ "n" => 1 }, @share.update { |document| document["n"] = 1 })
    @share.update { |document| document["list"] = [1] }
    assert_equal({ "n" => 1, "list" => [1] }, @share.snapshot)
    assert_raises(ZeroDivisionError) { @share.update { |document| document["n"] = 1 / 0 } }
    assert_equal 2, @share.version
    @share.lock { |held| held.set(5) }
    assert_match(/in place/, assert_raises(TypeError) { @share.update { |number| number } }.message)
    assert_equal 3, @share.version
  end

  def test_age_and_stat
    @share.set([1])
    assert_operator @share.age, :>=, 0
    stat = @share.stat
    assert_equal [1, 3, Process.pid, 1 << 20], stat.values_at(:version, :length, :writer, :capacity)
    assert_equal [0, false, false], stat.values_at(:owner, :retired, :replaced)
  end
end
