# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Puma and Unicorn under load: nothing is stale, bad values, kills and restarts harm nobody, nothing is left behind.
#
# Shows: READ-6, JSON-2, NAME-2, NAME-8.

require_relative "../helper"
require_relative "server"

class TestServers < SeqshareTest
  DOCUMENT = { "n" => 0, "list" => Array.new(200) { |n| n } }.freeze

  def puma(*options)
    skip "puma is not installed" unless system("command -v puma >/dev/null")
    lambda do |port|
      ["puma", "--quiet", "-b", "tcp://127.0.0.1:#{port}", "-w", Server::WORKERS.to_s, "-t", "2:2", *options, "shop.ru"]
    end
  end

  def unicorn
    skip "unicorn is not installed" unless system("command -v unicorn >/dev/null")
    ->(port) { ["unicorn", "-l", "127.0.0.1:#{port}", "-c", "unicorn.rb", "shop.ru"] }
  end

  def serve(command, **environment)
    @config = Seqshare.create(@path, 1 << 16, mode: 0o644, value: DOCUMENT)
    server = Server.new(@folder, { "SHOP_CONFIG" => @path }.merge(environment.transform_keys(&:to_s)), &command)
    eventually("the server") { server.alive? ? server.ask : flunk(server.log) }
    eventually("all workers") { server.workers.size == Server::WORKERS }
    load = Load.new(server)
    yield server
    load.end
    assert_empty load.failures
    assert_operator load.answers, :>, 0
    load.lost
  ensure
    load&.end
    server&.stop
    @config&.close
  end

  def set(number)
    @config.set(DOCUMENT.merge("n" => number))
  end

  def nothing_is_stale(server)
    (1..200).each do |number|
      set(number)
      assert_equal number, server.ask["n"] if (number % 5).zero?
    end
  end

  # Each worker keeps the last good document that it has looked at: all look at this one.
  def bad_values_are_said_once(server)
    workers = server.workers
    @config.set_bytes('{"n": ')
    assert_equal [200], server.all("n")
    said = server.log.scan(/version 202 is not used/).size
    assert_includes 1..workers.size, said
  end

  def a_larger_region_under_load(server)
    @config.close
    @config = Seqshare.replace(@path, 1 << 20, mode: 0o644, value: DOCUMENT.merge("n" => 1000))
    assert_equal [1000], server.all("n")
  end

  def a_killed_worker(server)
    before = server.workers
    Process.kill(:KILL, before[0])
    set(1001)
    eventually("the new worker") { (server.workers - [before[0]]).size >= Server::WORKERS }
    assert_equal [1001], server.all("n")
  end

  def facts_of(pids)
    pids.to_h do |pid|
      links = Dir.children("/proc/#{pid}/fd").filter_map { |fd| File.readlink("/proc/#{pid}/fd/#{fd}") rescue nil }
      [pid, [Dir.children("/proc/#{pid}/task").size, links.grep(/#{Regexp.escape(@path)}/).size]]
    end
  end

  # One thread more may be Ruby's own: from 3.3 on, its timer comes and goes.
  def nothing_is_left_behind(server)
    before = facts_of(server.workers)
    2000.times { |number| set(number) }
    assert_equal [1999], server.all("n")
    after = facts_of(server.workers)
    (before.keys & after.keys).each do |pid|
      assert_operator after[pid][0], :<=, before[pid][0] + 1, [before, after].inspect
      assert_operator after[pid][1], :<=, before[pid][1], [before, after].inspect
    end
  end

  # A worker is in the middle of a request, a thread of its own waits: it ends all the same, and at once.
  def a_thread_that_watches(server)
    server.ask("/watch")
    set(3000)
    eventually("a change in a worker's thread") { set(3000) && server.ask["changes"].positive? }
  end

  def all_of_it(server)
    nothing_is_stale(server)
    bad_values_are_said_once(server)
    a_larger_region_under_load(server)
    a_killed_worker(server)
    nothing_is_left_behind(server)
    a_thread_that_watches(server)
  end

  # Another one for each: they answer, and have the newest.
  def other_workers(server, before)
    set(4000)
    eventually("other workers") { (server.workers & before).empty? && server.workers.size >= Server::WORKERS }
    assert_equal [4000], server.all("n")
  end

  def test_puma_in_a_cluster_and_a_phased_restart
    lost = serve(puma) do |server|
      all_of_it(server)
      before = server.workers
      server.signal(:USR1)
      other_workers(server, before)
    end
    assert_operator lost, :<=, 6 # the killed worker's
  end

  def test_puma_preload_app
    lost = serve(puma("--preload")) { |server| all_of_it(server) }
    assert_operator lost, :<=, 6
  end

  # A restart of all of it: the new program opens the share again.
  def test_puma_preload_app_and_a_restart
    serve(puma("--preload")) do |server|
      before = server.workers
      server.signal(:USR2)
      other_workers(server, before)
    end
  end

  def test_unicorn
    lost = serve(unicorn, SHOP_PRELOAD: "no") { |server| all_of_it(server) }
    assert_operator lost, :<=, 6
  end

  def test_unicorn_preload_app_and_an_upgrade
    lost = serve(unicorn, SHOP_PRELOAD: "yes") do |server|
      all_of_it(server)
      old, before = server.main, server.workers
      server.signal(:USR2)
      eventually("the new master") { ![old, 0].include?(server.main) }
      server.signal(:QUIT, old)
      other_workers(server, before)
    end
    assert_operator lost, :<=, 6
  end
end
