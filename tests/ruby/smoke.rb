# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# The Ruby extension in a few seconds, without a gem: a document, a change by another process, a killed lock holder.

require "seqshare"

def expect(truth, what)
  abort "not so: #{what}" unless truth
end

share = Seqshare.new(1 << 20)
share.set({ flags: { dark: false }, list: [1, 2.5, nil] })
expect share.snapshot["list"] == [1, 2.5, nil], "a document comes back"
expect Ractor.shareable?(share.snapshot), "it is frozen all the way down"
child = fork do
  share.update { |document| document["flags"]["dark"] = true }
  share.lock { Process.kill(:KILL, Process.pid) }
end
Process.wait(child)
expect share.snapshot["flags"]["dark"] && share.version == 2, "the child's change is seen"
share.lock { |held| expect held.recovered?, "the lock is taken over" }
puts "ok"
