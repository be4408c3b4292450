# SPDX-License-Identifier: MIT
# The library that is installed, if pkg-config finds a new enough one; otherwise its sources, which are in the gem (and,
# in the project, beside it). `gem install seqshare -- --disable-system-library` takes the sources in any case.
require "mkmf"

OWN = File.expand_path("../../vendor", __dir__)
PROJECT = File.expand_path("../../../..", __dir__)
SOURCES = File.exist?("#{PROJECT}/include/seqshare/protocol.h") ? PROJECT : OWN
LEAVE_OUT = %w[exports.c].freeze # a program's own names for inline functions

def system_library?
  return false unless enable_config("system-library", true)

  # The newest functions of each library that the extension calls.
  pkg_config("seqshare-cache") && have_func("seqshare_cache_look", "seqshare/cache.h") &&
    have_func("seqshare_named", "seqshare/seqshare.h")
end

def take_sources
  $INCFLAGS = "-I#{SOURCES}/include #{$INCFLAGS}"
  library = Dir["#{SOURCES}/src/*.c"].map { |path| File.basename(path) } - LEAVE_OUT
  $srcs += library + %w[cache.c right.c source.c]
  $VPATH.push("#{SOURCES}/src", "#{SOURCES}/src/cache")
end

$srcs = Dir["#{__dir__}/*.c"].map { |path| File.basename(path) }.sort
is_system = system_library?
take_sources unless is_system
message("seqshare: %s\n", is_system ? "the installed library" : "its sources in #{SOURCES}")

# The grammar of documents, in any case: bindings build it.
$srcs += %w[grammar.c unquote.c]
$VPATH << "#{SOURCES}/src/json"
$INCFLAGS << " -I#{SOURCES}/src"

have_func("rb_thread_lock_native_thread", "ruby/thread.h") # threads that move between native ones: Ruby 3.3
have_library("pthread")
$defs.push("-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-D_TIME_BITS=64")
$warnflags = "-Wall -Wextra -Wno-unused-parameter"
# -fexceptions: the cache is built so. The version script: nothing but the beginning is for others.
$CFLAGS << " -std=gnu11 -fvisibility=hidden -fno-lto -fexceptions"
# It stays in a process that has loaded it: what it knows of forks is for the process's life.
$DLDFLAGS << " -Wl,-z,nodelete -Wl,--version-script=#{__dir__}/extension.map"
create_makefile("seqshare/seqshare")
