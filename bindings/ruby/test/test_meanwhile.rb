# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# What happens meanwhile: names that move, files that are cut, shares that are closed, threads that are killed.
#
# Shows: NAME-2, NAME-8, READ-10, WAIT-1, WRITE-6.

require_relative "helper"

class TestMeanwhile < SeqshareTest
  def create(value, path = @path, **how)
    Seqshare.create(path, 1 << 16, value: value, logger: @log, **how)
  end

  # ---- names ----

  def test_a_replaced_name_is_followed
    old = create({ "n" => 1 })
    reader = Seqshare.open(@path, write: false, logger: @log)
    assert_equal({ "n" => 1 }, reader.snapshot)
    new = Seqshare.replace(@path, 1 << 20, value: { "n" => 2 })
    assert_equal({ "n" => 2 }, reader.snapshot)
    assert_equal [2, 1], [reader.version, reader.stat[:moved]]
    old.set({ "n" => 3 }) # the writer follows as well
    assert_equal [{ "n" => 3 }] * 3, [reader, new, old].map(&:snapshot)
    Seqshare.replace(@path, 1 << 20)
    old.lock { |held| held.set(held.document.merge("n" => 4)) }
    assert_equal({ "n" => 4 }, reader.snapshot)
    assert_empty @log.lines
  end

  def test_a_file_that_is_moved_underneath_is_followed
    share = create({ "n" => 1 })
    create({ "n" => 2 }, "#{@path}.new").close
    share.snapshot
    File.rename("#{@path}.new", @path)
    eventually("the move") { share.snapshot["n"] == 2 }
    File.unlink(@path)
    assert_equal({ "n" => 2 }, share.snapshot)
    create({ "n" => 3 }).close
    assert share.reopen || share.snapshot["n"] == 3
    assert_equal({ "n" => 3 }, share.snapshot)
    share.set({ "n" => 4 })
    assert_equal({ "n" => 4 }, Seqshare.open(@path).snapshot)
  end

  def test_a_name_that_cannot_be_followed_is_said
    share = create({ "n" => 1 })
    share.snapshot
    File.rename(@path, "#{@path}.old")
    File.write(@path, "not a share")
    eventually("the report") { share.snapshot && @log.lines.any? }
    1000.times { assert_equal({ "n" => 1 }, share.snapshot) }
    assert_equal 1, @log.lines.size
    assert_match(/the name cannot be followed: .*not a share/, @log.lines[0])
  end

  # ---- files that are cut ----

  def test_a_file_that_is_cut_kills_nobody
    [0, 100, 4096, 5000].each do |length|
      Seqshare.unlink(@path) if File.exist?(@path)
      share = create({ "text" => "x" * 9000 })
      good = share.snapshot
      File.truncate(@path, length)
      assert_equal [good] * 3, Array.new(3) { share.snapshot }
      assert_errors(share) if length.zero? # in a part of a page that is left, the rest is zeros: no value
      [-> { share.set({ "n" => 1 }) }, -> { share.update { |document| document["n"] = 1 } }, -> { share.document },
       -> { share.wait(timeout: 0.1) }, -> { share.prefault }, -> { share.drop_write }].each do |call|
        call.call
      rescue Seqshare::Error => error
        assert_kind_of Seqshare::Error, error
      end
      share.close
    end
  end

  def assert_errors(share)
    %i[bytes version stat document].each { |verb| assert_raises(Seqshare::DocumentError, verb.to_s) { share.public_send(verb) } }
    assert_match(/its file was cut/, eventually("the report") { share.snapshot && @log.lines.last })
  end

  # What is written to a page that is not the file's any more is an error, each time, and so is what is read there.
  def test_nothing_is_published_into_a_file_that_is_cut
    named = create({ "n" => 1 })
    nameless = Seqshare.attach(named.to_io(write: true))
    held = lambda do |share|
      share.lock { |held| File.truncate(@path, 0) && 2.times { assert_raises(Seqshare::DocumentError) { held.document } } && held.set([2]) }
    end
    [nameless, named].each do |share|
      File.truncate(@path, 0)
      3.times do
        [-> { share.set([2]) }, -> { share.set_if(0, [2]) }, -> { share.update { |document| document["n"] = 2 } },
         -> { share.document }, -> { share.lock { flunk } }].each { |call| assert_raises(Seqshare::DocumentError, &call) }
      end
    end
    File.unlink(@path)
    assert_raises(Seqshare::DocumentError) { held.call(create({ "n" => 1 })) }
    refute File.size?(@path)
  end

  def test_a_file_that_is_whole_again_is_used_again
    share = create({ "n" => 1 })
    copy = File.binread(@path)
    share.snapshot
    File.truncate(@path, 0)
    assert_equal({ "n" => 1 }, share.snapshot)
    File.binwrite(@path, copy)
    Seqshare.open(@path).set({ "n" => 2 })
    eventually("the new version") { share.snapshot == { "n" => 2 } }
    assert_equal 2, share.version
    share.set({ "n" => 3 })
    assert_equal [{ "n" => 3 }] * 2, [share.snapshot, Seqshare.open(@path).snapshot]
  end

  def test_a_replaced_region_is_found_after_a_cut
    share = create({ "n" => 1 })
    share.snapshot
    waiter = Thread.new { share.wait(1) }
    eventually { asleep?(waiter) }
    File.truncate(@path, 0)
    assert_equal({ "n" => 1 }, share.snapshot)
    File.unlink(@path)
    create({ "n" => 2 }).set({ "n" => 3 })
    eventually("the new region") { share.snapshot == { "n" => 3 } }
    assert_equal 2, value_of(waiter)
  end

  def test_another_bus_error_is_reported_as_ever
    output, status = program('Process.kill(:BUS, $$); sleep 10')
    assert status.signaled?, output
    assert_match(/Bus Error|BUG/, output)
  end

  # ---- closing ----

  def test_a_closed_share
    @share.set([1])
    @share.close
    @share.close
    assert @share.closed?
    %i[snapshot bytes version stat age document reopen prefault capacity drop_write].each do |verb|
      error = assert_raises(Seqshare::ClosedError, verb.to_s) { @share.public_send(verb) }
      assert_match(/is closed/, error.message)
    end
    assert_raises(Seqshare::ClosedError) { @share.set([1]) }
    assert_raises(Seqshare::ClosedError) { @share.lock { flunk } }
    assert_raises(Seqshare::ClosedError) { @share.wait }
    assert_match(/closed/, @share.inspect)
  end

  def test_close_wakes_those_who_wait
    @share.set([1])
    waiter = Thread.new { @share.wait }
    watcher = Thread.new { @share.watch { flunk } }
    [waiter, watcher].each { |thread| thread.report_on_exception = false }
    eventually { [waiter, watcher].all? { |thread| asleep?(thread) } }
    @share.close
    assert_raises(Seqshare::ClosedError) { value_of(waiter) }
    assert_nil value_of(watcher)
  end

  def test_closed_under_the_lock
    share = create([1])
    share.lock { share.close }
    Seqshare.open(@path).lock(timeout: 0) { |held| refute held.recovered? }
  end

  # ---- waiting ----

  def test_wait
    @share.set([1])
    assert_nil @share.wait(timeout: 0)
    assert_nil @share.wait(timeout: 0.05)
    assert_equal 1, @share.wait(0)
    waiter = Thread.new { @share.wait(1) }
    eventually { asleep?(waiter) }
    @share.set([2])
    assert_equal 2, value_of(waiter)
    [-1, "1", Float::NAN, Object.new].each { |timeout| assert_raises(ArgumentError) { @share.wait(timeout: timeout) } }
    assert_equal 2, @share.wait(0, timeout: Float::INFINITY)
  end

  # The waiter that the first wait has left is of the old region.
  def test_wait_after_the_name_has_moved
    share = create({ "n" => 1 })
    assert_nil share.wait(1, timeout: 0)
    File.unlink(@path)
    create({ "n" => 2 })
    assert share.reopen
    assert_nil share.wait(1, timeout: 1.5)
  end

  def test_watch
    seen = []
    watcher = Thread.new { @share.watch(since: 0) { |document| seen << document["n"]; break :done if document["n"] == 3 } }
    (1..3).each do |n|
      @share.set({ "n" => n })
      eventually { seen.last == n }
    end
    assert_equal :done, value_of(watcher)
    assert_equal [1, 2, 3], seen
    assert_equal({ "n" => 3 }, @share.watch(since: 0).first)
  end

  def test_watch_follows_the_name
    share = create({ "n" => 1 })
    seen = Queue.new
    watcher = Thread.new { share.watch(since: 0) { |document| seen << document["n"] } }
    assert_equal 1, seen.pop
    File.unlink(@path)
    create({ "n" => 2 }).close
    assert_equal 2, seen.pop
    share.close
    assert_nil value_of(watcher)
  end

  def test_on_change
    @share.set({ "n" => 0 })
    before = Thread.list.size
    seen = Queue.new
    @share.on_change { raise "a block's own trouble" }
    @share.on_change { |document| seen << document["n"] }
    assert_equal before + 1, Thread.list.size
    @share.set({ "n" => 1 })
    assert_equal 1, seen.pop
    @share.set_bytes("bad")
    @share.set({ "n" => 2 })
    nil until seen.pop == 2
    assert(@log.lines.any? { |line| line.include?("a block's own trouble") })
    child = Child.new do # it has none of the parent's threads, and asks for one of its own
      mine = Queue.new
      @share.on_change { |document| mine << document["n"] }
      @share.set({ "n" => 3 })
      [Thread.list.size, mine.pop]
    end
    assert_equal [2, 3], child.result
    assert_equal 3, seen.pop
    @share.close
    eventually("the thread's end") { Thread.list.size == before }
  end

  def test_several_threads_ask_for_one_thread
    before = Thread.list.size
    Array.new(8) { Thread.new { @share.on_change { nil } } }.each { |thread| value_of(thread) }
    assert_equal before + 1, Thread.list.size
  end

  def test_changes_of_a_region_without_its_name
    share = create({ "n" => 0 })
    seen = Queue.new
    share.on_change { |document| seen << document["n"] }
    File.unlink(@path)
    share.set({ "n" => 1 })
    assert_equal 1, seen.pop
  end

  # Ruby may take a word on a stack for a reference, so one of them may stay.
  def test_the_thread_ends_with_its_share
    before = Thread.list.size
    make = ->(name) { Seqshare.create("#{@folder}/#{name}", 100).on_change { nil } && nil }
    6.times { |n| make.call(n) }
    assert_equal before + 6, Thread.list.size
    eventually("the threads' end") { GC.start || Thread.list.size <= before + 1 }
  end

  def test_nothing_holds_up_the_end_of_a_program
    text = <<~PROGRAM
      share = Seqshare.new(100)
      share.on_change { }
      Thread.new { share.wait }
      Thread.new { share.lock { sleep } }
      Thread.pass until share.stat[:owner] != 0
      Thread.new { share.lock { } }
      puts "end"
    PROGRAM
    output, status = program(text)
    assert_equal ["end\n", true], [output, status.success?]
  end

  # ---- threads that are killed ----

  # A thread that holds the lock until the block has run.
  def while_locked
    ready = Queue.new
    done = Queue.new
    holder = Thread.new { @share.lock { ready << true && done.pop } }
    ready.pop
    yield holder
  ensure
    done << true
    value_of(holder)
  end

  def test_a_thread_that_is_killed_with_the_lock_gives_it_back
    ready = Queue.new
    holder = Thread.new { @share.lock { ready << true && sleep } }
    ready.pop
    holder.kill
    value_of(holder)
    @share.lock(timeout: HANGS) { |held| refute held.recovered? }
  end

  def test_threads_that_wait_can_be_killed_and_raised_in
    while_locked do
      [-> { @share.lock { flunk } }, -> { @share.set([1]) }, -> { @share.wait }, -> { @share.watch { flunk } }].each do |call|
        killed = Thread.new(&call)
        raised = Thread.new(&call)
        raised.report_on_exception = false
        eventually { asleep?(killed) && asleep?(raised) }
        killed.kill
        raised.raise(KeyError, "stop")
        assert_nil value_of(killed)
        assert_raises(KeyError) { value_of(raised) }
      end
    end
    @share.lock(timeout: HANGS) { nil }
    assert_equal 0, @share.version
  end

  # It gets the lock and the exception in one slice of its wait.
  def test_a_thread_that_is_raised_in_as_it_gets_the_lock
    5.times do
      waiter = nil
      @share.lock do
        waiter = Thread.new { @share.lock { flunk } }
        waiter.report_on_exception = false
        eventually { asleep?(waiter) && @share.stat[:owner] != 0 }
        sleep 0.02 # it is in the library by then, as a rule
        waiter.raise(KeyError)
      end
      assert_raises(KeyError) { value_of(waiter) }
      assert_equal 0, @share.stat[:owner]
    end
  end

  # A trap that waits for the main thread: a call is made after it, and not left out.
  def test_traps_while_shares_are_made
    text = <<~PROGRAM
      count = 0
      trap(:USR1) { count += 1 }
      parent = Process.pid
      child = fork { 5000.times { Process.kill(:USR1, parent) && sleep(0.0001) } }
      made = 0
      until Process.wait(child, Process::WNOHANG)
        share = Seqshare.create(ARGV[0], 100, value: [made += 1])
        abort "lost" unless share.snapshot == [made]
        Seqshare.unlink(ARGV[0])
        share.close
      end
      print made > 0 && count > 0
    PROGRAM
    assert_equal "true", program(text, @path).first
  end

  def test_a_time_limit_of_rubys_own
    require "timeout"
    while_locked { assert_raises(Timeout::Error) { Timeout.timeout(0.1) { @share.set([1]) } } }
    assert_raises(Timeout::Error) { Timeout.timeout(0.1) { @share.wait } }
  end

  def test_what_is_put_off_is_put_off
    while_locked do
      waiter = Thread.new do
        Thread.handle_interrupt(KeyError => :never) { assert_raises(Seqshare::TimeoutError) { @share.lock(timeout: 0.5) { flunk } } }
      end
      waiter.report_on_exception = false
      eventually { asleep?(waiter) }
      waiter.raise(KeyError)
      assert_raises(KeyError) { value_of(waiter) }
    end
  end

  # An interrupt may wait for a thread that makes a share, and comes through before or after it, whole.
  def test_interrupts_while_shares_are_made
    made = Queue.new
    maker = Thread.new do
      Thread.handle_interrupt(KeyError => :never) { 500.times { Seqshare.new(100).then { |share| share.set([1]) && made << share.snapshot } } }
    end
    maker.report_on_exception = false
    eventually { made.size.positive? }
    300.times { maker.raise(KeyError) && Thread.pass }
    assert_raises(KeyError) { value_of(maker) }
    assert_equal [[1]], Array.new(made.size) { made.pop }.uniq
  end

  def test_locks
    @share.set([1])
    result = @share.lock do |held|
      error = assert_raises(Seqshare::Error) { @share.lock { flunk } }
      assert_equal Errno::EDEADLK::Errno, error.errno
      held.set([2])
      @share.set([3])
      assert_equal ["[3]", "[3]", [3]], [held.bytes, @share.bytes, held.document]
      :result
    end
    assert_equal :result, result
    while_locked do
      [0, 0.05].each { |timeout| assert_raises(Seqshare::TimeoutError) { @share.lock(timeout: timeout) { flunk } } }
      assert_equal [3], @share.snapshot
    end
    kept = @share.lock { |held| held }
    assert_raises(Seqshare::Error) { kept.set([4]) }
    assert_raises(LocalJumpError) { @share.lock }
  end

  def test_other_threads_run_while_one_waits
    while_locked do
      waiter = Thread.new { @share.set([5]) }
      eventually { asleep?(waiter) }
      assert_raises(Seqshare::Error) { @share.drop_write }
      assert waiter.alive?
    end
    eventually { @share.version == 1 }
  end

  def test_threads_share_a_share
    @share.set({ "n" => 0 })
    threads = Array.new(8) do
      Thread.new { 50.times { @share.update { |document| document["n"] += 1 } && @share.snapshot } }
    end
    threads.each { |thread| value_of(thread) }
    assert_equal({ "n" => 400 }, @share.snapshot)
  end

  def test_a_trap_during_a_wait
    caught = Queue.new
    before = trap(:USR2) { caught << true }
    waiter = Thread.new { @share.wait }
    eventually { asleep?(waiter) }
    Process.kill(:USR2, Process.pid)
    assert caught.pop
    @share.set([1])
    assert_equal 1, value_of(waiter)
  ensure
    trap(:USR2, before || "DEFAULT")
  end
end
