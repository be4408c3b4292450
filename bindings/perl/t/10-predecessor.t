# SPDX-License-Identifier: MIT
# IPC::Mmap::Share: the names and the behaviour of the predecessor, and what was a wart there.
# Shows: no promise of the library, but the behaviour of IPC::Mmap::Share.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use Test::More;
use IPC::Mmap::Share;

my $share = IPC::Mmap::Share->new(10_000);
isa_ok($share, 'IPC::Mmap::Share');
is($share->get_size, 10_000, 'get_size');
isa_ok($share->new(100), 'IPC::Mmap::Share', 'new on an object');

refused { $share->get } qr/nothing has been stored/, 'get before set';
ok($share->set(135), 'set says yes');
is($share->get, 135, 'and get gives it back');
ok($share->set({ list => [ 1, 2, 3 ] }), 'a structure');
is_deeply($share->get, { list => [ 1, 2, 3 ] }, 'comes back');
isnt($share->get, $share->get, 'fresh each time');
my $mine = $share->get;
push @{ $mine->{list} }, 4;
is_deeply($share->get, { list => [ 1, 2, 3 ] }, 'so what I change is mine');
$share->set([ 1 .. 5 ]);
is_deeply($share->get, [ 1 .. 5 ], 'an array');
$share->set('first', 'second');
is($share->get, 'first', 'further arguments are ignored, as ever');

# Locks
ok(!$share->is_locked, 'not locked');
ok($share->lock, 'lock says yes');
ok($share->is_locked, 'is_locked');
my $value = $share->get;
ok($share->set("$value and more"), 'lock; get; set');
ok($share->unlock, 'unlock');
ok(!$share->is_locked, 'is_locked no more');
is($share->get, 'first and more', 'and it was published');
refused { $share->unlock } qr/\Aunlock: this thread does not own the lock\z/, 'unlock without lock';
$share->lock;
refused { $share->lock } qr/owns the lock already/, 'a second lock is refused and does not hang';
ok(child_says { $share->get eq 'first and more' }, 'a reader does not wait for the lock');
ok(child_says { !$share->is_locked }, 'a child does not own its parent\'s lock');
$share->unlock;

# Values that could not be stored
for my $case ([ undef, 'undef' ], [ 0, '0' ], [ '', 'the empty string' ], [ '0', "the string '0'" ]) {
    ok($share->set($case->[0]), "set of $case->[1]");
    is($share->get, $case->[0], "get of $case->[1]");
}

# Values that do not fit
my $small = IPC::Mmap::Share->new(100);
$small->set('stands');
refused { $small->set('x' x 500) } qr/size of at least 501\b.*has 100\b/,
    'a string too large: the size it needs';
is($small->get, 'stands', 'and the old value stands');
refused { $small->set([ ('x') x 500 ]) } qr/size of at least [0-9]{3,}/, 'a structure too large';
is($small->get, 'stands', 'and the old value still stands');
my ($needed) = do { eval { $small->set([ ('x') x 500 ]) }; $@ =~ /at least ([0-9]+)/ };
ok(IPC::Mmap::Share->new($needed)->set([ ('x') x 500 ]), 'the size that it names is enough');
ok(!eval { IPC::Mmap::Share->new($needed - 1)->set([ ('x') x 500 ]); 1 }, 'and is the least');

refused { IPC::Mmap::Share->new } qr/no size/, 'new without a size';
refused { $share->set } qr/no value/, 'set without a value';
refused { $share->set(sub { }) } qr/CODE/, 'code is refused';
is($share->get, '0', 'and the old value stands');

# Objects are independent of each other.
my $other = IPC::Mmap::Share->new(1000);
$other->set('other');
$share->set('this');
is($other->get, 'other', 'two objects, two values');
$share->lock;
ok(eval { $other->lock; $other->unlock; 1 }, 'and two locks');
$share->unlock;

# Destruction
{
    my $gone = IPC::Mmap::Share->new(100);
    $gone->set(1);
    $gone->lock;
    my $child = child { $gone->lock; $gone->unlock; 1 };
    $gone->DESTROY;
    ok(join_child($child), 'DESTROY by hand gives the lock back');
    is($gone->get, 1, 'and the share goes on');
}
ok(child_says { undef $share; 1 }, 'a child drops the object');
is($share->get, 'this', 'which takes nothing along');
ok(eval { $share->lock; $share->set('after'); $share->unlock; 1 }, 'nor the lock');

# Subclasses may keep things in the object.
{
    package Mine;
    our @ISA = ('IPC::Mmap::Share');
    sub label { my $self = shift; $self->{label} = shift if @_; return $self->{label} }
}
my $sub = Mine->new(100);
isa_ok($sub, 'Mine');
$sub->label('here');
is($sub->label, 'here', 'a subclass has the hash for itself');

done_testing;
