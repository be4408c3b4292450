# SPDX-License-Identifier: MIT
# Acts on each change of a document, and sleeps in between.
use strict;
use warnings;
use Seqshare;

my $config = Seqshare->open('shop', read_only => 1, codec => 'JSON');
$| = 1;

while (1) {
    my $now = $config->snapshot // {};
    print 'the rate is ', $now->{rate} // 'not known', "\n";
    $config->wait;    # until the version is another; signal handlers run meanwhile
}
