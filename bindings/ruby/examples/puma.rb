# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# Puma's configuration. The share is opened once, where config.ru is loaded, and the workers inherit it; without
# preload_app! each worker opens it itself, which is as good.

bind ENV.fetch("SHOP_BIND", "tcp://127.0.0.1:9292")
workers Integer(ENV.fetch("SHOP_WORKERS", "2"))
threads 2, 2
preload_app!

# What a change must start (here, a line in the log) is done by a thread, one in each worker that asks for it.
on_worker_boot do
  SHOP.on_change { |config| warn "worker #{Process.pid}: dark is #{config["flags"]["dark"]} now" } if defined?(SHOP)
end
