# SPDX-License-Identifier: MIT
# frozen_string_literal: true

require "weakref"

module Seqshare
  # The one thread that waits for a share in a process, for blocks that were given to `on_change`. It waits on a reader
  # of its own, so that the share may go meanwhile. It ends with its share, and a program that ends does not wait for it.
  class Watcher # :nodoc:
    SLICE = 0.5 # of a second: between two, it looks whether the share is still there

    def initialize(share, seen)
      @process = Process.pid
      @blocks = []
      @thread = start(WeakRef.new(share), share.another, seen)
    end

    def works?
      @process == Process.pid && @thread.alive?
    end

    def add(block)
      @blocks += [block] # a new array: the thread may go through the old one
    end

    private

    # A method of its own: a block has all variables that it can see, and here the share itself is not one of them.
    def start(reference, reader, seen)
      thread = Thread.new { run(reference, reader, [seen, reader.moves_so_far]) }
      thread.name = "seqshare"
      thread
    end

    def run(reference, reader, before)
      before = wait_once(reader, before) { tell(reference.__getobj__) } until reference.closed?
    rescue WeakRef::RefError, ClosedError
      nil # that was its share
    ensure
      reader.close
    end

    # Yields if there is news.
    def wait_once(reader, before)
      news = reader.news_after(*before, SLICE)
      yield if news
      news || before
    rescue ClosedError
      raise
    rescue Error # no value yet, or none that is good: its share reports it
      sleep SLICE # no busy loop, whatever it is
      before
    end

    def tell(share)
      follow(share)
      document = share.snapshot
      @blocks.each { |block| call(share, block, document) }
    end

    # A move by hand has no mark. If the name leads nowhere, the region may go on without one.
    def follow(share)
      share.reopen if share.name
    rescue NotFoundError, AccessError, DocumentError
      nil
    end

    # What a block raises is said, and changes nothing for the others.
    def call(share, block, document)
      block.call(document)
    rescue StandardError => error
      share.trouble("a block of on_change failed: #{error.full_message(highlight: false)}")
    end
  end
  private_constant :Watcher
end
