# SPDX-License-Identifier: MIT
# A table of routes, made of a document once per version. Prints the server of the path that it is given, and again
# whenever that changes.
use strict;
use warnings;
use Seqshare;

my $config = Seqshare->open('routes', read_only => 1, codec => 'JSON');
my ($document, $prefixes, $last) = (0, qr/(?!)/, '');

# A snapshot is the very same structure until there is another version.
sub server_of {
    my ($path) = @_;
    my $now = $config->snapshot or return 'nobody';
    if ($now != $document) {
        my @longest_first = sort { length $b <=> length $a } keys %$now;
        $prefixes = qr/^(@{[ join '|', map {quotemeta} @longest_first ]})/;
        $document = $now;
    }
    return $path =~ $prefixes ? $now->{$1} : 'nobody';
}

$| = 1;
while (1) {
    my $server = server_of($ARGV[0] // '/');
    print "$server\n" if $server ne $last;
    $last = $server;
    select undef, undef, undef, 0.1;    # here, a request arrives
}
