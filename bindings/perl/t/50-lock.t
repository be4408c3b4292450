# SPDX-License-Identifier: MIT
# Guards, update, set_if, and what happens when the code in between dies, returns or is interrupted.
# Shows: WRITE-1, WRITE-6.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use Test::More;
use Time::HiRes ();
use Seqshare;

my $share = Seqshare->new(10_000);

sub is_free {
    my ($why) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return ok(child_says { !!$share->lock(0) }, "the lock is free $why");
}

# ---- guards
{
    my $guard = $share->lock;
    isa_ok($guard, 'Seqshare::Guard');
    ok($share->is_locked, 'is_locked');
    ok(!$guard->recovered, 'nobody died');
    is($share->set('under the lock'), 1, 'set under the lock');
    is($share->get, 'under the lock', 'get under the lock');
    ok(child_says { !$share->lock(0) }, 'it is locked for others');
    refused { my $again = $share->lock } qr/owns the lock already/, 'a second guard is refused';
    ok(child_says { undef $guard; !$share->lock(0) }, 'a child that drops its guard leaves the lock alone');
}
is_free('at the end of the scope');
ok(!$share->is_locked, 'is_locked no more');
refused { $share->lock } qr/keep the guard that it returns/, 'lock without keeping the guard';
is_free('then as well');
{
    my $guard = $share->lock;
    ok($guard->unlock,  'unlock before the end of the scope');
    ok(!$guard->unlock, 'which works once');
    my $second = $share->lock;
    undef $guard;
    ok(!child_says { !!$share->lock(0) }, 'an old guard does not give a new lock back');
}
eval { my $guard = $share->lock; die "on purpose\n" };
is($@, "on purpose\n", 'an exception goes through');
is_free('after it');
sub early { my $guard = $share->lock; return 5 if $_[0]; return 6 }
is(early(1), 5, 'a return');
is_free('after it');
refused { my $guard = $share->lock('soon') } qr/number of seconds/, 'lock of no number';
refused { my $guard = $share->lock(-1) } qr/number of seconds/, 'lock of a negative one';
{
    my $closed = Seqshare->new(100);
    my $guard  = $closed->lock;
    $closed->close;
    ok(!$guard->unlock, 'a guard of a closed share');
}

# ---- update
$share->set({ n => 1 });
is($share->update(sub { my ($v) = @_; $v->{n}++; $v }), $share->version, 'update says the version');
is($share->get->{n}, 2, 'update with the value in $_[0]');
$share->update(sub { $_->{n}++; $_ });
is($share->get->{n}, 3, 'update with the value in $_');
my $before = $share->version;
$share->update(sub { $_->{n}++; return });
is($share->version, $before, 'returning nothing leaves the old value');
is($share->get->{n}, 3, 'as it was');
{
    local $_ = 'mine';
    $share->update(sub { $_ });
    is($_, 'mine', '$_ is the caller\'s again');
}
ok(!eval { $share->update(sub { $_[0]{n} = 9; die { code => 7 } }); 1 }, 'an exception in the sub');
is($@->{code}, 7, 'goes through as it is');
is($share->get->{n}, 3, 'the old value stands');
is_free('after an exception');
refused { $share->update(sub { 1, 2 }) } qr/more than one value/, 'two values';
is_free('after two values');
refused { $share->update(sub { sub { } }) } qr/CODE/, 'a value that the codec refuses';
is_free('after a refused value');
refused { $share->update(sub { 'x' x 20_000 }) } qr/size of at least 20001/, 'a value too large';
is_free('after a value too large');
is($share->get->{n}, 3, 'the old value stands');
{
    no warnings 'exiting';
    refused { for (1) { $share->update(sub { last }) } } qr/last/, 'last out of the sub';
}
is_free('after last out of the sub');
my $status = do {
    my $pid = fork;
    if (!$pid) { $share->update(sub { exit 3 }) }
    waitpid $pid, 0;
    $? >> 8;
};
is($status, 3, 'exit within the sub');
is_free('after it');
$share->update(sub { $share->update(sub { $_->{n} = 10; $_ }); $_->{outer} = 1; $_ });
is_deeply($share->get, { n => 3, outer => 1 }, 'an update within an update works on the same lock');
is_free('after both');
{
    my $guard = $share->lock;
    $share->update(sub { $_->{n} = 4; $_ });
    ok($share->is_locked, 'an update under a guard leaves the lock with the guard');
    ok(child_says { !$share->lock(0) }, 'for others too');
}
$share->update(sub { my $pid = fork; if (!$pid) { exit 0 } waitpid $pid, 0; $_->{n}++; $_ });
is($share->get->{n}, 5, 'a child that exits within an update');
refused { $share->update('no sub') } qr/must be a sub, which gets the value/, 'update without a sub';
my $closing = Seqshare->new(100);
refused { $closing->update(sub { $closing->close; 1 }) } qr/closed/, 'a sub that closes the share';
my $empty = Seqshare->new(100);
$empty->update(sub { defined $_[0] ? 'defined' : 'first' });
is($empty->get, 'first', 'update before the first set gets undef');

# ---- set_if
my $version = $share->version;
is($share->set_if($version, { n => 7 }), $version + 1, 'set_if on the current version');
is($share->set_if($version, { n => 8 }), undef, 'set_if on an old one');
is($share->get->{n}, 7, 'changes nothing');
is_free('after set_if');
is(Seqshare->new(100)->set_if(0, 'x'), 1, 'version 0: nothing published yet');
refused { $share->set_if('new', 1) } qr/version must be a number/, 'set_if without a version';

# ---- signals while a live owner holds the lock
pipe my $read, my $write or die;
my $holder = child { my $guard = $share->lock; syswrite $write, '.'; sleep 60; 1 };
sysread $read, my $byte, 1;
for my $case ([ lock => sub { my $g = $share->lock } ], [ set => sub { $share->set(1) } ],
    [ update => sub { $share->update(sub { 1 }) } ])
{
    my ($name, $code) = @$case;
    local $SIG{ALRM} = sub { die "interrupted\n" };
    ok(!eval { Time::HiRes::alarm(0.1); $code->(); 1 }, "$name while another process holds the lock");
    is($@, "interrupted\n", 'a signal handler may die out of it');
}
kill KILL => $holder;
join_child($holder);
is_free('when the holder is gone');

done_testing;
