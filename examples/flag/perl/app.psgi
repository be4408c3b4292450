# SPDX-License-Identifier: MIT
# A Starman application that looks at a flag on every request.
use strict;
use warnings;
use Seqshare;

# Once, in the master: --preload-app runs this before it forks.
my $config = Seqshare->open('shop', read_only => 1, codec => 'JSON');

sub {
    my $now   = $config->snapshot;             # decoded once per version and worker, and read-only
    my $flags = $now->{flags} // {};           # a missing key must not be made
    my $theme = $flags->{dark} ? 'dark' : 'light';
    return [ 200, [ 'Content-Type' => 'text/plain' ], ["$theme\n"] ];
};
