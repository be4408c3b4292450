# SPDX-License-Identifier: MIT
# An application for Starman, whose workers serve a configuration that any process may change.
#
#     starman --preload-app --workers 8 eg/config.psgi
#     perl -MSeqshare -e 'Seqshare->open("app-config")->set({ version => 2, greeting => "hello" })'
use strict;
use warnings;
use Seqshare;

# Once, in the master: --preload-app runs this before it forks. The name is for those who change the
# configuration.
my $name   = $ENV{APP_CONFIG} || 'app-config';
my $config = eval { Seqshare->create($name, 1 << 20) } || Seqshare->open($name);
$config->set_if(0, { version => 1, greeting => 'hello' });    # if it is new

sub {
    my $now = $config->snapshot;    # decoded once for each version and worker; one load otherwise
    my $body = join "\n", "pid $$", "version $now->{version}", "greeting $now->{greeting}",
        map {"part $_"} @{ $now->{parts} || [] };
    return [ 200, [ 'Content-Type' => 'text/plain', 'Content-Length' => length $body ], [$body] ];
};
