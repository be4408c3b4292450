# SPDX-License-Identifier: MIT
# Perl built with ithreads: a new thread gets clones of all objects.
# Shows: no promise of the library, but what ithreads get.
use strict;
use warnings;
use Config;
use lib 't/lib';
use Kit;
use Test::More;

BEGIN {
    if (!$Config{useithreads}) { plan skip_all => 'this perl has no ithreads' }
    require threads;
}
use Seqshare;
use IPC::Mmap::Share;

my $share = Seqshare->new(100_000);
$share->set({ n => 0 });
my $c = $share->snapshot;

is(threads->create(sub { $share->get->{n} })->join, 0, 'a thread reads');
threads->create(sub { $share->set({ n => 1 }) })->join;
is($share->get->{n}, 1, 'a thread writes');
is(threads->create(sub { $share->snapshot->{n} })->join, 1, 'a snapshot in a thread');
is(threads->create(sub { $c->{n} . (eval { $c->{n} = 2; 1 } ? ' changed' : ' kept') })->join,
    '0 kept', 'a thread\'s clone of a snapshot is read-only');
is(threads->create(sub { (eval { %$c = (); 1 } ? 'cleared' : 'kept') . " $c->{n}" })->join,
    'kept 0', 'nor can it be cleared');
is($c->{n}, 0, 'and the parent\'s is as it was');

my $guard = $share->lock;
ok(threads->create(sub { !$share->is_locked })->join, 'a thread does not own another\'s lock');
ok(threads->create(sub { !defined $share->lock(0) })->join, 'threads exclude each other');
ok(threads->create(sub { undef $guard; 1 })->join, 'a thread that drops its clone of a guard');
ok($share->is_locked, 'leaves the lock alone');
ok(threads->create(sub { !defined $share->lock(0) })->join, 'for others as well');
$guard->unlock;
threads->create(sub { my $never_released = $share->lock; push(our @keep, $never_released); return })->join;
ok(eval { my $g = $share->lock(5); defined $g }, 'a thread that ended with the lock held it no longer');

my $sum = Seqshare->new(1000);
$sum->set(0);
$_->join for map { threads->create(sub { $sum->update(sub { $_[0] + 1 }) for 1 .. 300 }) } 1 .. 4;
is($sum->get, 1200, '1,200 updates in four threads, none lost');

my $old = IPC::Mmap::Share->new(1000);
$old->set(0);
$_->join for map {
    threads->create(sub { for (1 .. 100) { $old->lock; $old->set($old->get + 1); $old->unlock } })
} 1 .. 3;
is($old->get, 300, 'IPC::Mmap::Share: 300 increments in three threads');

for my $codec (codecs()) {
    my $coded = Seqshare->new(1000, codec => $codec);
    $coded->set({ codec => $codec });
    is(threads->create(sub { $coded->set({ %{ $coded->get }, thread => 1 }); $coded->get->{codec} })->join,
        $codec, "$codec in a thread");
    is($coded->get->{thread}, 1, 'and back');
}

my $name  = fresh_name();
my $named = Seqshare->create($name, 1000);
$named->set({ n => 1 });
is($named->snapshot->{n}, 1, 'a snapshot of a share with a name');
my $moved = Seqshare->replace($name, 2000);
$moved->set({ n => 2 });
is(threads->create(sub { $named->snapshot->{n} })->join, 2, 'a snapshot in a thread follows the name');
is($named->get->{n}, 1, 'without moving the parent\'s share');
is(threads->create(sub { $named->reopen })->join, !!1, 'so does reopen');
is($named->get->{n}, 1, 'the same');
is(threads->create(sub { $named->snapshot->{n} . $named->set({ n => 3 }) })->join, '23', 'a thread writes there');
is($named->snapshot->{n}, 3, 'and the parent follows by itself');
my $reader = Seqshare->open($name, read_only => 1);
Seqshare->replace($name, 3000)->set({ n => 4 });
is(threads->create(sub { $reader->snapshot->{n} . (eval { $reader->set(1); 1 } ? ' writes' : ' reads') })->join,
    '4 reads', 'what only reads, only reads there');
$named->reopen;
threads->create(sub { $named->close })->join;
ok($named->set(1), 'a thread that closes its clone');

done_testing;
