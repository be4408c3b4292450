# SPDX-License-Identifier: MIT
# frozen_string_literal: true

# The recipes of docs/ruby.md, and the example, run as they are written.
#
# Shows: no promise: what the page says works.

require_relative "../helper"
require_relative "server"

class TestRecipes < SeqshareTest
  PAGE = ENV["SEQSHARE_PAGE"] || File.expand_path("../../../../docs/ruby.md", __dir__)
  EXAMPLES = File.expand_path("../../examples", __dir__)

  # The blocks whose first line says that they are this recipe's, as files.
  def write_recipe(name)
    found = File.read(PAGE, encoding: "UTF-8").scan(/^```ruby\n# #{name}: (\S+)\n(.*?)^```$/m)
    refute_empty found, "docs/ruby.md has no recipe #{name}"
    found.each { |file, text| File.write("#{@folder}/#{file}", text) }
  end

  def serve(*command)
    program = command.find { |word| %w[puma unicorn].include?(word) }
    skip "#{program} is not installed" unless system("command -v #{program} >/dev/null")
    config = Seqshare.create(@path, 1 << 16, mode: 0o644, value: { flags: { dark: false }, limits: { rate: 10 } })
    server = Server.new(@folder, { "SHOP_CONFIG" => @path }) do |port|
      command.map { |word| word.gsub("PORT", port.to_s) }
    end
    eventually("the server") { server.alive? ? server.body : flunk(server.log) }
    yield server, config
  ensure
    server&.stop
  end

  def says(server, text)
    eventually(text) { Array.new(8) { server.body }.uniq == [text] }
  end

  def light_and_dark(*command)
    serve(*command) do |server, config|
      says(server, "light")
      config.update { |document| document["flags"]["dark"] = true }
      says(server, "dark")
    end
  end

  def test_puma
    write_recipe("puma")
    light_and_dark("puma", "-w", "2", "-b", "tcp://127.0.0.1:PORT", "#{@folder}/config.ru")
  end

  def test_unicorn
    write_recipe("puma")
    write_recipe("unicorn")
    light_and_dark("env", "SHOP_ADDRESS=127.0.0.1:PORT", "unicorn", "-c", "#{@folder}/unicorn.rb", "#{@folder}/config.ru")
  end

  def test_middleware
    write_recipe("middleware")
    light_and_dark("puma", "-w", "2", "-b", "tcp://127.0.0.1:PORT", "#{@folder}/config.ru")
  end

  def test_changes
    write_recipe("changes")
    light_and_dark("puma", "-C", "#{@folder}/puma.rb", "-w", "2", "-b", "tcp://127.0.0.1:PORT", "#{@folder}/config.ru")
  end

  def test_the_example
    serve("env", "SHOP_BIND=tcp://127.0.0.1:PORT", "puma", "-C", "#{EXAMPLES}/puma.rb", "#{EXAMPLES}/config.ru") do |server, config|
      says(server, "light, 10 requests a second\n")
      config.update { |document| document["flags"]["dark"] = true }
      says(server, "dark, 10 requests a second\n")
      eventually("each worker's line") { server.log.scan(/worker \d+: dark is true now/).uniq.size == 2 }
    end
  end
end
