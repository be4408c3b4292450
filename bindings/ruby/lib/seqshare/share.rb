# SPDX-License-Identifier: MIT
# frozen_string_literal: true

module Seqshare
  # A share: one value, and its versions. Made by Seqshare.open, new, create, replace and attach.
  #
  # All threads of a Ractor may use one share. A child of fork goes on with the share of its parent.
  #
  # What needs speed is in C (ext/seqshare): snapshot, bytes, version, stat, reopen, prefault, capacity, writable?,
  # closed?, close.
  class Share
    UNSET = Object.new.freeze
    OPTIONS = { write: nil, any_owner: false, fd: -1, flags: 0, size: 0, slots: 2, mode: 0o600 }.freeze
    private_constant :UNSET, :OPTIONS

    # The name or path; nil: anonymous, or attached.
    attr_reader :name

    class << self
      def make(how, name, codec: :json, type: nil, type_name: nil, logger: nil, value: UNSET, **options) # :nodoc:
        kind = Kind.of(codec, type, type_name)
        first = kind.encode(value) unless value.equal?(UNSET)
        allocate.tap { |share| share.__send__(:prepare, how, name, kind, logger, first, options) }
      end

      # May Ruby go on with a thread in another native one, without a way to ask it not to?
      def threads_move? # :nodoc:
        return false if Native::CAN_STAY || RUBY_VERSION < "3.3"

        ENV["RUBY_MN_THREADS"] == "1" || Ractor.current != Ractor.main
      end

      undef_method :new
    end

    # ---- read ----

    # The newest document, the caller's own to change. Unlike snapshot it never is an older one: DocumentError if the
    # newest value is none.
    def document
      bytes, version, tag = read_all
      raise bad_document("version #{version} has the type tag #{format("%08x", tag)}") unless @kind.accepts?(tag, bytes.bytesize)

      found = @kind.decode(bytes)
      if found.nil? && (fault = Native.check_json(bytes))
        raise bad_document("version #{version} is not a document: #{fault}")
      end
      @kind.thaw(found)
    end

    # Seconds for which nobody has known that the value is the newest. With a feed: since the value was last known to
    # be the source's; infinity: never since boot. Without one: since the version was published that snapshot shows.
    def age
      found = feed
      return snapshot_age / 1e9 unless found

      found.age || Float::INFINITY
    end

    # What `seqshare feed` says of this share: a Feed; nil: no feed keeps it up to date.
    def feed
      return unless name

      @feed ||= Seqshare.open("#{name}.feed", write: false, type: Feed::FORMAT, type_name: Feed::NAME)
      Feed.of(@feed.snapshot)
    rescue NotFoundError, AccessError, NoValueError # or a stranger's, whose word counts for nothing
      nil
    end

    # ---- write ----

    # Publish a value: when this returns, every reader in every process finds it. A share with a name publishes in the
    # region that the name has.
    def set(value)
      publish(@kind.encode(value), @kind.tag)
    end

    # Publish bytes as they are. `tag`: their type; 0: untyped.
    def set_bytes(bytes, tag = 0)
      publish(bytes, tag)
    end

    # Publish only over that version (0: nothing published yet); the new version. StaleError otherwise.
    def set_if(version, value)
      error, stands = publish_if(version, @kind.encode(value), @kind.tag)
      return stands if error.zero?

      raise failure(error).tap { |stale| stale.version = stands }
    end

    # Read, modify and write under the lock. The block gets a copy of the document ({} where there is none yet) and
    # changes it in place; its own result does not matter. What it raises goes on, and nothing is published. Returns the
    # document that was published. (In a Ractor of Ruby 3.3, which has no locks: by set_if, so the block runs again if
    # another one was faster.)
    def update(timeout: nil, &block)
      raise LocalJumpError, "no block given" unless block
      return update_by_version(&block) if Share.threads_move?

      lock(timeout: timeout) do |held|
        changed(held.document, &block).tap { |document| held.set(document) }
      end
    end

    # The writer lock, for this thread, while the block runs: it gets a Held, and its result is the result. Readers
    # never notice. `timeout` in seconds; after it, TimeoutError. Thread#kill and Thread#raise end the waiting, and give
    # the lock back. A thread or process that dies with the lock loses it to the next one that asks.
    #
    # Not in a Ractor of Ruby 3.3, nor there with RUBY_MN_THREADS: a thread has no native thread of its own then, to which
    # the lock belongs.
    def lock(timeout: nil)
      if Share.threads_move?
        raise Error.new("#{@label}: this Ruby moves threads, so they cannot lock: use update or set_if", Errno::EOPNOTSUPP::Errno)
      end

      with_lock(nanoseconds(timeout)) do |recovered|
        held = Held.new(self, recovered)
        begin
          yield held
        ensure
          held.end_of_block
        end
      end
    end

    # Give up writing through this share, for good: for a worker, after the fork. EBUSY: a thread of this process has
    # the lock, or waits for it.
    def drop_write
      give_up_writing
    end

    # ---- wait ----

    # Sleep until the version differs from `seen` (nil: from the newest one): the new version. nil after `timeout`
    # seconds. Other threads run meanwhile.
    def wait(seen = nil, timeout: nil)
      wait_for(seen || version, nanoseconds(timeout))
    end

    # Yield the document at each new version, in this thread: the newest one; those between may be passed over. It goes
    # on until the block breaks, or somebody closes the share. `since`: the version after which it begins; 0: with
    # the newest one now. No thread is started.
    def watch(since: nil)
      return to_enum(:watch, since: since) unless block_given?

      seen = since || version
      moves_seen = moves
      loop do
        news = news_after(seen, moves_seen, nil)
        seen, moves_seen = news
        yield snapshot
      end
    rescue ClosedError
      raise unless closed?
    end

    # Call the block with the document at each new version, from a thread of this share's own: one a process, which is
    # started by this call, ends with the share, and does not keep a program from ending. A child of fork calls it again.
    def on_change(since: nil, &block)
      raise ArgumentError, "on_change needs a block" unless block

      @starting.synchronize do
        @watcher = Watcher.new(self, since || version) unless @watcher&.works?
        @watcher.add(block)
      end
      self
    end

    # A new descriptor of the region, the caller's to close: an IO, which another program can inherit.
    def to_io(write: false)
      IO.for_fd(descriptor(write), write ? "r+b" : "rb")
    end

    def inspect
      "#<Seqshare::Share #{@label}#{", closed" if closed?}>"
    end

    # ---- for Watcher ----

    # The version and the moves, once they differ from these; nil: they did not, in that time. The versions of a region
    # that took the name over may begin again: a move is news, too.
    def news_after(seen, moves_seen, timeout) # :nodoc:
      loop do
        now = version
        return [now, moves] if now != 0 && (now != seen || moves != moves_seen)
        return if wait_for(seen, nanoseconds(timeout)).nil? && timeout
      end
    end

    def moves_so_far # :nodoc:
      moves
    end

    # A share of the same region that only waits; by its descriptor where this process may not open the name any more.
    def another # :nodoc:
      raise Seqshare.failure(Errno::ENOENT::Errno, @label) unless name

      Seqshare.open(name, write: false, any_owner: @any_owner, codec: :bytes)
    rescue NotFoundError, AccessError
      to_io.then { |io| Seqshare.attach(io, write: false, any_owner: true, codec: :bytes).tap { io.close } }
    end

    def trouble(sentence) # :nodoc:
      text = "seqshare: #{@label}: #{sentence}"
      @logger ? @logger.warn(text) : warn(text)
    end

    private

    # A document that the block has changed in place.
    def changed(document)
      document = {} if document.nil? && @kind.equal?(Kind::JSON_DOCUMENT)
      unless [Hash, Array, String].include?(document.class)
        raise TypeError, "#{document.inspect} cannot be changed in place: use lock { |held| held.set(...) }"
      end

      yield document
      document
    end

    def update_by_version(&block)
      loop do
        before = version
        document = changed(before.zero? ? nil : self.document, &block)
        set_if(before, document)
        return document
      rescue StaleError
        next
      end
    end

    def prepare(how, name, kind, logger, first, options)
      @name = name&.dup&.freeze
      @label = name || "a share without a name"
      @kind = kind
      @logger = logger
      @any_owner = options[:any_owner]
      @starting = Mutex.new
      unknown = options.keys - OPTIONS.keys
      raise ArgumentError, "unknown keyword: #{unknown.join(", ")}" unless unknown.empty?

      set_up(how, name, first, OPTIONS.merge(options, tag: kind.tag, value_size: kind.size, format: kind.format))
    end

    def nanoseconds(timeout)
      return -1 if timeout.nil?
      raise ArgumentError, "a timeout is a number of seconds from 0, or nil" unless timeout.is_a?(Numeric) && timeout >= 0

      [timeout * 1_000_000_000, 2**62].min.to_i
    end

    # ---- what the C half asks for ----

    def failure(number)
      Seqshare.failure(number, @label)
    end

    def closed_failure
      ClosedError.new("#{@label || "a share"}: the share is closed", Errno::EBADF::Errno)
    end

    def bad_document(sentence)
      DocumentError.new("#{@label}: #{sentence}", Errno::EBADMSG::Errno)
    end

    def report(sentence)
      trouble("#{sentence}; the last good document stays")
    end

    def unpack(bytes, format)
      values = bytes.unpack(format)
      values.each(&:freeze)
      values.freeze
    end
  end
end
