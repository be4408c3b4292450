# SPDX-License-Identifier: MIT
# Processes: those that write, those that read, those that are killed.
# Shows: READ-1, WRITE-1, WRITE-5.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use POSIX ();
use Test::More;
use Time::HiRes ();
use IPC::Mmap::Share;

sub paused { 1 while !Time::HiRes::sleep(1) }

my $share = Seqshare->new(1 << 20);
$share->set({ from => 'parent' });
ok(child_says { $share->get->{from} eq 'parent' }, 'a child reads what was set before fork');
ok(child_says { $share->set({ from => 'child' }) }, 'a child writes');
is($share->get->{from},      'child', 'and its parent reads it');
is($share->snapshot->{from}, 'child', 'so does a snapshot');

my $kept = $share->snapshot;
ok(child_says { $share->set({ from => 'another' }); $share->snapshot->{from} eq 'another' },
    'a snapshot after fork');
is($kept->{from},            'child',   'a snapshot that is kept stays as it was');
is($share->snapshot->{from}, 'another', 'the next one is new');

# Forks in forks
ok(child_says {
    return 0 unless child_says {
        return 0 unless child_says { $share->set({ from => 'grandchild' }) };
        $share->get->{from} eq 'grandchild';
    };
    $share->snapshot->{from} eq 'grandchild';
}, 'three generations');
is($share->get->{from}, 'grandchild', 'and the first reads what the last wrote');

# An exiting child takes nothing along, however it goes: destructors and END blocks included.
for my $way ('exit', 'die', 'kill') {
    my $pid = fork;
    if (!$pid) {
        open STDERR, '>', '/dev/null';
        my $guard = $share->lock;
        exit 0 if $way eq 'exit';
        die    if $way eq 'die';
        kill KILL => $$;
    }
    waitpid $pid, 0;
    ok($share->set({ way => $way }), "set after a lock holder's $way");
    is($share->get->{way}, $way, 'and get');
}

# A killed holder harms nobody, neither one who asks then nor one who waits already.
{
    pipe my $read, my $write or die;
    my $holder = child { my $guard = $share->lock; syswrite $write, '.'; paused() };
    sysread $read, my $byte, 1;
    is($share->get->{way}, 'kill', 'readers do not wait for a holder');
    is($share->lock(0), undef, 'lock(0) does not wait');
    is($share->lock(0.05), undef, 'lock(seconds) does not wait longer');
    my $waiter = child { $share->set({ way => 'waiter' }) };
    Time::HiRes::sleep(0.1);
    kill KILL => $holder;
    join_child($holder);
    ok(join_child($waiter), 'a writer that waited goes on when the holder is killed');
    is($share->get->{way}, 'waiter', 'and published');

    $holder = child { my $guard = $share->lock; syswrite $write, '.'; paused() };
    sysread $read, $byte, 1;
    kill KILL => $holder;
    join_child($holder);
    my $guard = $share->lock;
    ok($guard->recovered, 'a guard knows that the lock was taken from a dead owner');
    $guard->unlock;
    ok(!$share->lock->recovered, 'which the next does not say');
}

# The same for the drop-in's lock.
{
    my $old = IPC::Mmap::Share->new(1000);
    $old->set(1);
    my $holder = child { $old->lock; kill KILL => $$ };
    join_child($holder);
    ok($old->lock && $old->set(2) && $old->unlock, 'drop-in: lock, set, unlock after a killed holder');
    is($old->get, 2, 'and get');
}

# Killed in the middle of whatever they do, under load: values stay whole, and writers go on.
sub whole { my ($value) = @_; my %seen; $seen{$_}++ for @{ $value->{numbers} }; return keys %seen == 1 }

my $crash = Seqshare->new(1 << 20);
sub numbers { return { numbers => [ ($_[0]) x 500 ] } }
$crash->set(numbers(0));
my ($torn, $stuck) = (0, 0);
for my $round (1 .. 30) {
    my @crew = map {
        my $n = $_;
        child { my $i = 0; while (1) { $n % 2 ? $crash->set(numbers(++$i)) : $crash->snapshot } }
    } 1 .. 3;
    Time::HiRes::sleep(0.002 + 0.001 * ($round % 7));
    $torn++ unless whole($crash->get) && whole($crash->snapshot);
    kill KILL => @crew;
    join_child($_) for @crew;
    local $SIG{ALRM} = sub { $stuck++; die "stuck\n" };
    alarm 30;
    eval { $crash->set(numbers(-$round)) };
    alarm 0;
    $torn++ unless $crash->get->{numbers}[499] == -$round;
}
is($torn,  0, '30 rounds of killed writers and readers: none torn');
is($stuck, 0, 'and no writer stuck');

# Increments from many processes: none lost.
my $sum = Seqshare->new(1000);
$sum->set(0);
my @crew = map { child { $sum->update(sub { $_[0] + 1 }) for 1 .. 500; 1 } } 1 .. 4;
is(scalar(grep { join_child($_) } @crew), 4, 'four processes update');
is($sum->get, 2000, '2,000 updates, none lost');

my $old = IPC::Mmap::Share->new(1000);
$old->set({ n => 0 });
sub increment { $old->lock; my $value = $old->get; $value->{n}++; $old->set($value); $old->unlock }
@crew = map { child { increment() for 1 .. 200; 1 } } 1 .. 4;
is(scalar(grep { join_child($_) } @crew), 4, 'four processes lock; get; set; unlock');
is($old->get->{n}, 800, '800 increments, none lost');

# set_if: optimistic increments
$sum->set(0);
@crew = map {
    child {
        for (1 .. 200) {
            my $version;
            do { $version = $sum->version } until $sum->set_if($version, $sum->get + 1);
        }
        1;
    }
} 1 .. 3;
is(scalar(grep { join_child($_) } @crew), 3, 'three processes set_if');
is($sum->get, 600, '600 increments, none lost');

done_testing;
