# SPDX-License-Identifier: MIT
# Read, modify, write: sells PIECES, one by one. perl update.pl [PIECES]
use strict;
use warnings;
use Seqshare;

my $stock = eval { Seqshare->create('stock', 4096, 0600, codec => 'JSON') }
    || Seqshare->open('stock', codec => 'JSON');

sub sell_one {
    my ($now) = @_;
    $now //= { left => 1_000_000, sold => 0 };    # nothing has been published yet
    $now->{left}--;
    $now->{sold}++;
    return $now;                                  # this is published; without a value, nothing is
}

$stock->update(\&sell_one) for 1 .. $ARGV[0] // 0;
my $now = $stock->snapshot;
print "$now->{left} left, $now->{sold} sold\n";
