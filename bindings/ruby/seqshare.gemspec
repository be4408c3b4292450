# SPDX-License-Identifier: MIT
# frozen_string_literal: true

require_relative "lib/seqshare/version"

Gem::Specification.new do |spec|
  spec.name = "seqshare"
  spec.version = Seqshare::VERSION
  spec.summary = "Share hot configuration between the workers of Puma and Unicorn"
  spec.description = "One value in shared memory, for prefork servers that look at it on every request: readers take no " \
                     "lock, a look costs little more than one into a hash, and a worker that is killed harms nobody."
  spec.authors = ["The authors of seqshare"]
  spec.license = "MIT"
  spec.required_ruby_version = ">= 3.1"
  spec.extensions = ["ext/seqshare/extconf.rb"]
  spec.files = Dir["LICENSE", "README.md", "CHANGELOG.md", "lib/**/*.rb", "sig/*.rbs", "ext/**/*.{rb,c,h,map}",
                   "examples/*", "vendor/**/*.{c,h}"]
  spec.extra_rdoc_files = ["README.md", "CHANGELOG.md"]
  spec.metadata = { "rubygems_mfa_required" => "true" }
end
