# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Between processes: fork, kill, locks, rights, descriptors.
#
# Shows: READ-6, WRITE-1, WRITE-5, NAME-6.

require_relative "helper"

class TestProcesses < SeqshareTest
  def test_children_inherit_a_share
    @share.set({ "n" => 1 })
    snapshot = @share.snapshot
    children = Array.new(4) { Child.new { @share.snapshot.tap { @share.set({ "n" => Process.pid }) } } }
    children.each { |child| assert_kind_of Integer, child.result["n"] }
    assert_equal 1, snapshot["n"]
    assert_equal 5, @share.version
    assert_includes children.map(&:pid), @share.snapshot["n"]
  end

  def test_a_child_goes_on_with_its_parents_document
    @share.set({ "n" => 1 })
    @share.snapshot
    @share.set_bytes("bad")
    assert_equal({ "n" => 1 }, Child.new { @share.snapshot }.result)
  end

  def test_nothing_is_stale_after_set_returned
    ask, answer = IO.pipe, IO.pipe
    reader = Child.new do
      300.times.all? do
        number = ask[0].gets.to_i
        (@share.snapshot["n"] == number).tap { answer[1].puts("looked") }
      end
    end
    300.times do |number|
      @share.set({ "n" => number })
      ask[1].puts(number)
      answer[0].gets
    end
    assert reader.result
  end

  # A publisher that never pauses overtakes a reader at any step: it tries again, and never goes back.
  def test_beside_a_publisher_that_never_pauses
    share = Seqshare.create(@path, 1 << 16, value: { "n" => 1 })
    parent = Process.pid
    publisher = Child.new do
      number = 1
      share.set({ "n" => number += 1, "list" => [number] * 50 }) while Process.ppid == parent
    end
    old = Seqshare.open(@path, write: false)
    300.times do
      [old, Seqshare.open(@path, write: false)].each do |reader|
        before = reader.version
        assert_operator reader.snapshot["n"], :>=, before
      end
    end
  ensure
    publisher&.kill
  end

  def test_a_worker_that_is_killed_with_the_lock_harms_nobody
    @share.set({ "n" => 1 })
    ready, tell = IO.pipe
    worker = Child.new { @share.lock { tell.puts("locked") || sleep } }
    ready.gets
    assert_equal({ "n" => 1 }, @share.snapshot)
    assert_raises(Seqshare::TimeoutError) { @share.lock(timeout: 0.05) { flunk } }
    assert_equal [worker.pid, true], @share.stat.values_at(:owner, :owner_alive)
    worker.kill
    @share.lock do |held|
      assert held.recovered?
      held.set({ "n" => 2 })
    end
    @share.lock { |held| refute held.recovered? }
  end

  def test_updates_are_not_lost
    count = -> { 100.times { @share.update { |document| document["n"] = document.fetch("n", 0) + 1 } } }
    children = Array.new(3) { Child.new(&count) }
    threads = Array.new(2) { Thread.new(&count) }
    threads.each { |thread| value_of(thread) }
    children.each(&:result)
    assert_equal({ "n" => 500 }, @share.snapshot)
  end

  def test_a_child_does_not_own_the_lock
    @share.lock do |held|
      child = Child.new do
        error = assert_raises(Seqshare::TimeoutError) { @share.lock(timeout: 0.05) { nil } }
        error.errno
      end
      assert_equal Errno::ETIMEDOUT::Errno, child.result
      held.set({ "n" => 1 })
    end
    assert_equal 1, @share.version
  end

  # A child that leaves its parent's block has nothing to give back.
  def test_a_fork_within_the_block
    text = <<~PROGRAM
      share = Seqshare.new(100)
      child = share.lock { fork }
      exit!(0) unless child
      Process.wait(child)
      share.lock(timeout: 60) { |held| print $?.success?, held.recovered? }
    PROGRAM
    assert_equal "truefalse", program(text).first
  end

  def test_drop_write
    @share.set([1])
    child = Child.new do
      @share.drop_write
      assert_raises(Seqshare::AccessError) { @share.set([2]) }
      assert_raises(Seqshare::AccessError) { @share.lock { nil } }
      assert_raises(Seqshare::AccessError) { @share.to_io(write: true) }
      [@share.writable?, @share.snapshot, @share.document]
    end
    assert_equal [false, [1], [1]], child.result
    @share.set([3])
    @share.lock { assert_raises(Seqshare::Error) { @share.drop_write } }
  end

  # A thread of the parent waits for the lock; the child has no such thread.
  def test_drop_write_in_a_child_of_a_busy_parent
    ready = Queue.new
    done = Queue.new
    holder = Thread.new { @share.lock { ready << true && done.pop } }
    ready.pop
    waiter = Thread.new { @share.set([1]) }
    eventually { asleep?(waiter) }
    assert_equal false, Child.new { @share.drop_write.writable? }.result
    done << true
    [holder, waiter].each { |thread| value_of(thread) }
  end

  def test_another_user
    skip "needs root" unless Process.uid.zero?
    File.chmod(0o755, @folder)
    Seqshare.create(@path, 4096, mode: 0o644, value: [1])
    child = Child.new do
      Process::Sys.setgid(65_534)
      Process::Sys.setuid(65_534)
      share = Seqshare.open(@path)
      writes = assert_raises(Seqshare::AccessError) { share.set([2]) }
      opens = assert_raises(Seqshare::AccessError) { Seqshare.open(@path, write: true) }
      [share.snapshot, share.writable?, writes.errno, opens.errno]
    end
    assert_equal [[1], false, Errno::EROFS::Errno, Errno::EACCES::Errno], child.result
  end

  def test_descriptors
    @share.set({ "n" => 1 })
    io = @share.to_io
    reader = Seqshare.attach(io)
    assert_equal({ "n" => 1 }, reader.snapshot)
    refute reader.writable?
    writer = Seqshare.attach(@share.to_io(write: true).fileno)
    writer.set({ "n" => 2 })
    assert_equal [{ "n" => 2 }] * 2, [reader.snapshot, @share.snapshot]
    assert_raises(Seqshare::Error) { Seqshare.attach(999) }
    output, = program("p Seqshare.attach(STDIN).snapshot", ruby: [])
    assert_match(/not a share|Error/, output)
  end

  def test_another_program
    share = Seqshare.create(@path, 4096, value: { "n" => 1 })
    output, status = program("Seqshare.open(ARGV[0]).update { |document| document['n'] += 1 }", @path)
    assert status.success?, output
    assert_equal({ "n" => 2 }, share.snapshot)
  end

  def test_forks_beside_threads_that_decode
    @share.set({ "n" => -1 })
    done = false
    threads = Array.new(2) { Thread.new { @share.snapshot && Thread.pass until done } }
    20.times do |number|
      @share.set({ "n" => number, "list" => Array.new(500) { |n| n.to_s } })
      assert_equal [number, 500], Child.new { @share.snapshot.then { |found| [found["n"], found["list"].size] } }.result
    end
    done = true
    threads.each { |thread| value_of(thread) }
  end
end
