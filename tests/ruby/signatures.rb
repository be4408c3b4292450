# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Has each public method a signature, and each signature a method? By their names, as RBS's own checker is not in Debian.

require "seqshare"

declared = Hash.new { |hash, name| hash[name] = [] }
scope = []
File.foreach(ARGV.fetch(0)) do |line|
  case line
  when /^\s*(?:module|class|interface) (\w+)/ then scope.push(Regexp.last_match(1))
  when /^\s*end$/ then scope.pop
  when /^\s*def (self\.)?([\w?=]+):/ then declared["#{scope.join("::")}#{Regexp.last_match(1) ? "." : "#"}"] << Regexp.last_match(2)
  when /^\s*attr_(reader|accessor) (\w+):/
    declared["#{scope.join("::")}#"] << Regexp.last_match(2)
    declared["#{scope.join("::")}#"] << "#{Regexp.last_match(2)}=" if Regexp.last_match(1) == "accessor"
  end
end
abort "the signatures leave #{scope.join("::")} open" unless scope.empty?

# For other files of the gem; and what Struct would write.
HIDDEN = %w[moves_so_far another trouble news_after end_of_block failure]
defined = { "Seqshare." => Seqshare.singleton_methods(false), "Seqshare::Share#" => Seqshare::Share.public_instance_methods(false),
            "Seqshare::Held#" => Seqshare::Held.public_instance_methods(false),
            "Seqshare::StaleError#" => Seqshare::StaleError.public_instance_methods(false),
            "Seqshare::Feed#" => Seqshare::Feed.members }
wrong = defined.filter_map do |name, methods|
  there = methods.map(&:to_s) - HIDDEN
  "#{name}#{(there - declared[name]) | (declared[name] - there)}" unless there.sort == declared[name].sort
end
abort wrong.join("\n") unless wrong.empty?
puts "#{declared.values.sum(&:size)} signatures"
