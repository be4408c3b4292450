# SPDX-License-Identifier: MIT
# A worker that lives for weeks: memory and descriptors stay as they are.
# Shows: no promise of the library, but that nothing leaks.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use POSIX ();
use Test::More;
use Seqshare;
use IPC::Mmap::Share;

-r '/proc/self/statm' or plan skip_all => 'no /proc';

sub pages { open my $statm, '<', '/proc/self/statm' or die; return (split ' ', <$statm>)[1] }
sub files { opendir my $dir, '/proc/self/fd' or die; return scalar(() = readdir $dir) }

# Flat: after a tenth of the rounds, memory grows no more. A leak of one scalar a round would be 24 bytes
# and more, each time; that the kernel made a huge page of what was there happens once.
sub flat {
    my ($name, $rounds, $code) = @_;
    $code->($_) for 1 .. $rounds / 10;
    my ($most, $files) = (8 * $rounds + 262_144, files());
    my $grown;
    for (1 .. 3) {
        my $pages = pages();
        $code->($_) for 1 .. $rounds;
        $grown = (pages() - $pages) * 4096;
        last if $grown < $most;
    }
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    cmp_ok($grown, '<', $most, "$name, $rounds times: memory grew by $grown bytes");
    is(files(), $files, "$name: no descriptor left open");
}

my $scalar = Seqshare->new(1000);
flat('set and get of a number', 1_000_000, sub { $scalar->set($_[0]); $scalar->get });
my $old = IPC::Mmap::Share->new(1000);
flat('set and get of a string, drop-in', 200_000, sub { $old->set("number $_[0]"); $old->get });

my $small = { a => [ 1, 2 ], b => { c => undef } };
for my $codec (codecs()) {
    my $share = Seqshare->new(10_000, codec => $codec);
    flat("$codec: set, get, snapshot", 50_000, sub { $share->set($small); $share->get; $share->snapshot });
}

my $share = Seqshare->new(10_000);
$share->set($small);
my $c = $share->snapshot;
flat('snapshot of one version', 500_000, sub { $share->snapshot });
flat('refused changes of a snapshot', 50_000, sub {
    eval { $c->{new} = 1 };
    eval { delete $c->{a} };
    eval { %{ $c->{b} } = () };
    eval { push @{ $c->{a} }, 1 };
    eval { my $x = $c->{x}{y} };
});
{
    package TiedHash;
    require Tie::Hash;
    our @ISA = 'Tie::StdHash';
}
tie my %tied, 'TiedHash';
%tied = (a => [1], b => { c => 1 });
flat('snapshots of tied hashes', 20_000, sub { $share->set({ tied => \%tied }); $share->snapshot->{tied}{a}[0] });
{
    local $SIG{__WARN__} = sub { };
    my $never = Seqshare->new(10_000);
    my $bad   = Seqshare->new(10_000);
    my @raw   = map { Seqshare->attach($_->fd, codec => 'raw') } $never, $bad;
    $bad->set({ good => 1 });
    $bad->snapshot;
    flat('values that cannot be decoded', 20_000, sub { # (Storable itself leaks where a class's hook dies)
        $_->set('not frozen') for @raw;
        $bad->snapshot for 1 .. 2;
        eval { $never->snapshot } for 1 .. 2;
    });
}
flat('refused values', 50_000, sub { eval { $share->set(sub { }) }; eval { $share->set([ 'x' x 20_000 ]) } });

flat('lock', 200_000, sub { my $guard = $share->lock });
flat('update', 50_000, sub { $share->update(sub { $_ }); eval { $share->update(sub { die "no\n" }) } });
flat('wait and stat', 50_000, sub { $share->wait(0); $share->stat });
flat('new shares', 3_000, sub {
    my $new = Seqshare->new(10_000);
    $new->set($small);
    $new->snapshot;
    $new->get;
});
my $name = fresh_name();
Seqshare->create($name, 1000)->set(1);
flat('open, attach, reopen', 2_000, sub {
    my $open = Seqshare->open($name);
    my $fd   = $open->fd;
    my $too  = Seqshare->attach($fd);
    POSIX::close($fd);
    $too->get;
    $open->reopen;
});
my $follower = Seqshare->open($name);
flat('snapshots that follow', 1_000, sub {
    Seqshare->replace($name, 1000)->set($_[0]);
    $follower->snapshot == $_[0] or die;
});

done_testing;
