# SPDX-License-Identifier: MIT
# frozen_string_literal: true

module Seqshare
  # What `seqshare feed` says of a share that it keeps up to date (seqshare/feed.h).
  #
  # age: seconds since the value was last known to be the source's; nil: never since boot. state: words of the feed's
  # status, none when it is live; :stale also when the feed is dead. version: of the share, when its value was last the
  # feed's. revision: the source's, of that value. newest: seen at the source, refused and held ones too.
  Feed = Struct.new(:age, :state, :version, :revision, :newest) do
    # From the type's fields, by this process's own clock.
    def self.of(fields) # :nodoc:
      version, revision, newest, current, _contact, bits, stale_ms = fields
      age = [Process.clock_gettime(Process::CLOCK_BOOTTIME, :nanosecond) - current, 0].max / 1e9 if current.positive?
      bits |= 2 if age.nil? || age > stale_ms / 1000.0
      state = self::WORDS.each_with_index.filter_map { |word, number| word if bits[number] == 1 }
      new(age, state.freeze, version, revision, newest).freeze
    end
  end

  Feed::FORMAT = "Q3q2L6"
  Feed::NAME = "seqshare_feed_1"
  Feed::WORDS = %i[none stale refused held pinned drifted unkept unconfirmed].freeze
end
