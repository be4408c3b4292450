# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Shared configuration that a prefork server looks at on every request: a look costs little more than one into a hash.
#
#     CONFIG = Seqshare.open("shop")                     # before or after fork
#     CONFIG.snapshot["flags"]["dark"]                   # decoded once per version, deeply frozen
#     CONFIG.update { |document| document["flags"]["dark"] = true }
#
# Readers take no lock and write nothing to shared memory; a process that is killed harms nobody. The command
# `seqshare`, Apache httpd, C, Perl, Python and others see the same share.
module Seqshare
end

require "seqshare/version"
require "seqshare/errors"
require "seqshare/seqshare"
require "seqshare/document"
require "seqshare/kinds"
require "seqshare/held"
require "seqshare/feed"
require "seqshare/watcher"
require "seqshare/share"

module Seqshare
  class << self
    # Open a named share: the file `seqshare.NAME` in /dev/shm, or a path.
    #
    # write: true: or fail; false: read-only; nil: for writing if this user may. any_owner: trust a region that neither
    # root nor this user owns. codec: :json, or :bytes. type: a format of Array#pack, with the name that C's
    # SEQSHARE_TYPE has (type_name:). logger: an object with a method warn; nil: Kernel#warn.
    def open(name, write: nil, any_owner: false, **how)
      Share.make("open", File.path(name), write: write, any_owner: any_owner, **how)
    end

    # An anonymous share: children of fork inherit it. `size`: the most bytes that a value may have; it costs nothing.
    def new(size, slots: 2, **how)
      Share.make("new", nil, size: size, slots: slots, **how)
    end

    # Make a named share: with a value if one is given, and exactly that mode. ExistsError: there is one.
    def create(name, size, mode: 0o600, **how)
      Share.make("create", File.path(name), size: size, mode: mode, **how)
    end

    # Take a name over in one step, with its value and version, or with another value; or make it.
    def replace(name, size, mode: 0o600, keep_mode: false, lose_owner: false, **how)
      flags = (keep_mode ? 1 : 0) | (lose_owner ? 2 : 0)
      Share.make("replace", File.path(name), size: size, mode: mode, flags: flags, **how)
    end

    # A share by a descriptor of its region (an Integer or an IO), which stays the caller's.
    def attach(descriptor, write: nil, any_owner: false, **how)
      number = descriptor.respond_to?(:fileno) ? descriptor.fileno : descriptor
      Share.make("attach", nil, fd: number, write: write, any_owner: any_owner, **how)
    end

    # Remove a name. Shares that are open go on as they are.
    def unlink(name)
      number = Native.unlink(File.path(name))
      raise Seqshare.failure(number, File.path(name)) unless number.zero?
    end
  end
end
