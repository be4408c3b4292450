# SPDX-License-Identifier: MIT
# Perl: Seqshare with the codec JSON, which JSON::XS reads and writes.
use strict;
use warnings;

use JSON::XS;
use Seqshare;

# JSON::XS makes a string of -2^63 and of what 64 bits cannot hold, and prints 15 digits of a float.
my $json = JSON::XS->new->utf8->allow_nonref->max_depth(512);
my $share = Seqshare->open($ARGV[0], codec => 'JSON');
local $SIG{__WARN__} = sub { }; # the answer says what is wrong
$| = 1;

sub answer {
    my ($word, $text) = @_;
    if ($word eq 'publish') {
        $share->set($json->decode($text));
        return 'ok';
    }
    my $document = $share->snapshot;
    return 'ok ' . $share->version . ' ' . unpack 'H*', $json->encode($document);
}

print "ready bigint least digits float-integer\n";
while (my $line = <STDIN>) {
    chomp $line;
    my ($word, $text) = split / /, $line;
    my $said = eval { answer($word, pack 'H*', $text // '') };
    if (!defined $said) {
        my $reason = $@ =~ s/\s+/ /gr;
        $said = ($word eq 'publish' ? 'refused ' : 'none ') . $reason;
    }
    print "$said\n";
}
