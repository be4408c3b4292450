# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Values of a C type, by a format of Array#pack.
#
# Shows: no promise: what C writes as a struct, Ruby reads, and the other way round.

require_relative "helper"

class TestTyped < SeqshareTest
  C = <<~PROGRAM
    #include <seqshare/seqshare.h>
    #include <stdio.h>
    struct limits { uint32_t rate, burst; double factor; char label[8]; };
    SEQSHARE_TYPE(limits, struct limits)
    int main(int argc, char **argv)
    {
        struct limits found, mine = {7, 8, 0.5, "from C"};
        seqshare *share;
        if (argc != 2 || seqshare_open(&share, argv[1], SEQSHARE_WRITE) != 0 || limits_get(share, &found) != 0)
            return 1;
        printf("%u %u %g %s", found.rate, found.burst, found.factor, found.label);
        return limits_set(share, &mine) != 0;
    }
  PROGRAM

  def limits(**how)
    Seqshare.create(@path, 4096, type: "L2 d a8", type_name: "limits", logger: @log, **how)
  end

  def test_c_and_ruby
    flags = ENV["SEQSHARE_C_FLAGS"] or skip "the library is not installed"
    share = limits(value: [100, 20, 1.5, "ruby"])
    File.write("#{@folder}/c.c", C)
    assert system("gcc -o #{@folder}/c #{@folder}/c.c #{flags}"), "the C program does not build"
    assert_equal "100 20 1.5 ruby", IO.popen(["#{@folder}/c", @path], &:read)
    assert_equal [7, 8, 0.5, "from C\0\0"], share.snapshot
  end

  def test_values
    share = limits
    assert_raises(Seqshare::NoValueError) { share.snapshot }
    share.set([1, 2, 3.5, "x"])
    assert_equal [1, 2, 3.5, "x\0\0\0\0\0\0\0"], share.snapshot
    assert Ractor.shareable?(share.snapshot)
    assert_same share.snapshot, share.snapshot
    share.update { |values| values[0] += 1 }
    assert_equal 2, share.snapshot[0]
    assert_equal 24, share.bytes.bytesize
  end

  def test_wrong_values
    share = limits
    [[1], [1, 2, 3.0], [1, 2, 3.0, "x", 5], [1, 2, "3", "x"], ["a", 2, 3.0, "x"]].each do |value|
      assert_raises(ArgumentError, TypeError) { share.set(value) }
    end
    assert_raises(NoMethodError) { share.set(1) }
    assert_equal 0, share.version
  end

  def test_values_of_another_type
    share = limits(value: [1, 2, 3.0, "x"])
    good = share.snapshot
    share.set_bytes("x" * 24)
    share.set_bytes("short", Seqshare::Native.tag("limits", 24)) # which an enemy may write
    assert_same good, share.snapshot
    assert_raises(Seqshare::DocumentError) { share.document }
    share.set_bytes('{"a":1}')
    assert_same good, share.snapshot
    assert_match(/7 bytes with the type tag 00000000/, @log.lines.last)
    assert_raises(Seqshare::DocumentError) { share.document }
    json = Seqshare.open(@path, logger: @log)
    share.set([5, 6, 7.0, "y"])
    assert_raises(Seqshare::DocumentError) { json.snapshot }
  end

  def test_formats_that_are_refused
    ["L*", "p", "P8", "w", "U", "m", "x0", ""].each do |format|
      assert_raises(ArgumentError, format) { Seqshare.new(100, type: format, type_name: "x") }
    end
    assert_match(/type_name/, assert_raises(ArgumentError) { Seqshare.new(100, type: "L") }.message)
  end

  def test_a_feed
    share = Seqshare.create(@path, 4096, value: { "n" => 1 })
    assert_nil share.feed
    state = Seqshare.create("#{@path}.feed", 4096, type: Seqshare::Feed::FORMAT, type_name: Seqshare::Feed::NAME)
    assert_nil share.feed
    now = Process.clock_gettime(Process::CLOCK_BOOTTIME, :nanosecond)
    state.set([1, 7, 8, now, now, 0b1000, 60_000, 0, 0, 0, 0])
    feed = share.feed
    assert_equal [[:held], 1, 7, 8], [feed.state, feed.version, feed.revision, feed.newest]
    assert_in_delta feed.age, share.age, 30
    state.set([1, 7, 8, 0, 0, 0, 60_000, 0, 0, 0, 0])
    assert_equal [nil, [:stale], Float::INFINITY], [share.feed.age, share.feed.state, share.age]
  end
end
