# SPDX-License-Identifier: MIT
# frozen_string_literal: true

worker_processes 3
preload_app ENV["SHOP_PRELOAD"] == "yes"
pid ENV.fetch("SHOP_PID")
timeout 60
