# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# A shop that looks at its configuration on each request. With puma.rb beside it:
#
#     ruby -rseqshare -e 'Seqshare.create("shop", 1 << 20, mode: 0o644, value: { flags: { dark: false }, limits: { rate: 10 } })'
#     puma -C puma.rb config.ru

require "seqshare"

SHOP = Seqshare.open(ENV.fetch("SHOP_CONFIG", "shop"), write: false)

# One look a request: all that it uses belongs to one version.
class Configuration
  def initialize(application)
    @application = application
  end

  def call(environment)
    environment["shop.config"] = SHOP.snapshot
    @application.call(environment)
  end
end

use Configuration

run(lambda do |environment|
  config = environment["shop.config"]
  page = config["flags"]["dark"] ? "dark" : "light"
  [200, { "content-type" => "text/plain" }, ["#{page}, #{config["limits"]["rate"]} requests a second\n"]]
end)
