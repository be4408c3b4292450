# SPDX-License-Identifier: MIT
# frozen_string_literal: true

module Seqshare
  # The writer lock, within `share.lock { |held| ... }`.
  class Held
    def initialize(share, recovered) # :nodoc:
      @share = share
      @recovered = recovered
    end

    # Was it taken over from an owner that died?
    def recovered?
      @recovered
    end

    # The newest document, the caller's own to change; nil where there is none yet.
    def document
      require_lock.document
    rescue NoValueError
      nil
    end

    # The bytes of the newest value.
    def bytes
      require_lock.bytes
    end

    # Publish a value.
    def set(value)
      require_lock.set(value)
      self
    end

    # Publish bytes as they are.
    def set_bytes(bytes, tag = 0)
      require_lock.set_bytes(bytes, tag)
      self
    end

    def end_of_block # :nodoc:
      @share = nil
    end

    private

    def require_lock
      @share or raise Error.new("the lock is held only within its block", Errno::EPERM::Errno)
    end
  end
end
