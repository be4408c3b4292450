# SPDX-License-Identifier: MIT
# frozen_string_literal: true

require "json"
require "rbconfig"
require "socket"

# A real server on a port of its own, and its clients.
class Server
  WORKERS = 3
  HERE = __dir__

  attr_reader :port, :pid_file

  def self.free_port
    TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
  end

  # The block gets the port, and gives the command.
  def initialize(folder, environment)
    @port = Server.free_port
    @log = "#{folder}/log"
    @pid_file = "#{folder}/pid"
    command = yield(@port)
    libraries = [*$LOAD_PATH.grep(%r{/seqshare|/lib\z}).first(2), ENV["RUBYLIB"]].compact.join(":")
    @group = spawn({ "RUBYLIB" => libraries, "SHOP_PID" => @pid_file }.merge(environment), *command,
                   chdir: HERE, out: @log, err: @log, pgroup: true)
  end

  # The process that the operator's signals go to; another one after an upgrade.
  def main
    File.exist?(@pid_file) ? Integer(File.read(@pid_file)) : @group
  end

  def log
    File.binread(@log)
  end

  # The body; nil where a worker was killed while it had the request.
  def body(path = "/")
    answer = TCPSocket.open("127.0.0.1", @port) do |socket|
      socket.write("GET #{path} HTTP/1.0\r\nHost: x\r\n\r\n")
      socket.read
    end
    return if answer.empty?
    raise "#{answer}\n#{log}" unless answer.match?(%r{\AHTTP/1\.[01] 200})

    answer.split("\r\n\r\n", 2)[1]
  rescue Errno::ECONNREFUSED, Errno::ECONNRESET, Errno::EPIPE
    nil
  end

  def ask(path = "/")
    object = body(path)&.slice(/\{.*\}/m) # nil: killed between head and body
    object && JSON.parse(object)
  end

  def alive?
    Process.wait(@group, Process::WNOHANG).nil?
  end

  # Those that answer.
  def workers
    seen = []
    60.times do
      seen |= Array.new(6) { Thread.new { ask&.fetch("pid") } }.map(&:value).compact
      break if seen.size >= WORKERS
    end
    seen
  end

  # What all workers that were asked say of it.
  def all(field)
    Array.new(30) { ask&.fetch(field) }.compact.uniq
  end

  def signal(name, pid = main)
    Process.kill(name, pid)
  end

  def stop
    Process.kill(:TERM, -@group)
    deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 20
    sleep 0.05 while group? && Process.clock_gettime(Process::CLOCK_MONOTONIC) < deadline
    Process.kill(:KILL, -@group) if group?
  rescue Errno::ESRCH
    nil
  end

  private

  def group?
    Process.wait(@group, Process::WNOHANG)
    Process.kill(0, -@group)
    true
  rescue Errno::ECHILD
    Process.kill(0, -@group) && true
  rescue Errno::ESRCH
    false
  end
end

# Clients that ask all the time, and count what was not answered.
class Load
  attr_reader :answers, :lost, :failures

  def initialize(server, clients: 3)
    @answers = @lost = 0
    @failures = []
    @threads = Array.new(clients) { Thread.new { ask(server) until @done } }
  end

  def end
    @done = true
    @threads.each(&:join)
  end

  private

  def ask(server)
    server.ask ? @answers += 1 : @lost += 1
  rescue RuntimeError, JSON::ParserError => error
    @failures << error
  end
end
