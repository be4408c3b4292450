# SPDX-License-Identifier: MIT
# Names, descriptors, waiting, and looking from outside.
# Shows: NAME-2, NAME-8, WAIT-1.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use Fcntl qw(F_GETFD FD_CLOEXEC);
use POSIX ();
use Test::More;
use Time::HiRes ();
use Seqshare;

# Root in a container may lack the capabilities to.
sub may_become_another {
    my $pid = fork // return;
    if (!$pid) {
        ($(, $)) = (65534, '65534 65534');
        ($<, $>) = (65534, 65534);
        POSIX::_exit($< == 65534 && $> == 65534 && $( == 65534 ? 0 : 1);
    }
    waitpid $pid, 0;
    return $? == 0;
}

# ---- create, open, unlink
my $name  = fresh_name();
my $share = Seqshare->create($name, 10_000, 0640);
is((stat "/dev/shm/seqshare.$name")[2] & 07777, 0640, 'create: the mode');
refused { Seqshare->create($name, 10_000) } qr/exists already/, 'create: the name exists';
$share->set({ n => 1 });
my $other = Seqshare->open($name);
is($other->get->{n}, 1, 'open');
$other->set({ n => 2 });
is($share->snapshot->{n}, 2, 'open writes, too');
my $reader = Seqshare->open($name, read_only => 1);
is($reader->get->{n}, 2, 'open read_only');
refused { $reader->set(1) } qr/read-only/, 'which does not write';
refused { my $guard = $reader->lock } qr/read-only/, 'nor lock';
ok(child_says { Seqshare->open($name)->set({ n => 3 }) }, 'another process opens by name');
is($share->get->{n}, 3, 'and writes');
my $twin = fresh_name();
Seqshare->create($twin, 10);
is((stat "/dev/shm/seqshare.$twin")[2] & 07777, 0600, 'the default mode is 0600');

# ---- a child with another clock
sub slow_clock_for_children {
    my %unshare = (x86_64 => 272, aarch64 => 97);
    my $number = $unshare{ (POSIX::uname())[4] };
    my $new_time_namespace = 0x80;
    return unless $number && syscall($number, $new_time_namespace) == 0;
    open my $offsets, '>', '/proc/self/timens_offsets' or return;
    printf $offsets "monotonic -%d 0", Time::HiRes::clock_gettime(Time::HiRes::CLOCK_MONOTONIC()) - 1;
    return close $offsets;
}
SKIP: {
    my $moving = fresh_name();
    Seqshare->create($moving, 100)->set(1);
    my $follower = Seqshare->open($moving);
    is($follower->snapshot, 1, 'before the clock goes back');
    my $child = child {
        slow_clock_for_children() or POSIX::_exit(77);
        child_says {
            unlink "/dev/shm/seqshare.$moving";
            Seqshare->create($moving, 100)->set(2);
            wait_for { $follower->snapshot == 2 } 'the new share';
        };
    };
    my $good = join_child($child);
    skip 'needs CAP_SYS_ADMIN, and a kernel with time namespaces', 1 if $? >> 8 == 77;
    ok($good, 'a child whose clock is behind follows the name');
}

# ---- replace, retired, reopen
my $kept = $share->snapshot;
my $stay = Seqshare->open($name);
my $new  = Seqshare->replace($name, 20_000, 0640);
is($new->capacity, 20_000, 'replace: the new capacity');
is($new->get->{n}, 3, 'replace: the value comes along');
ok($share->retired && $reader->retired, 'retired');
is_deeply($share->get, { n => 3 }, 'reads go on');
refused { $share->set({ n => 4 }) } qr/replaced/, 'writes do not';
$new->set({ n => 4 });
ok($share->reopen,  'reopen');
ok(!$share->reopen, 'once');
is($share->snapshot->{n}, 4, 'a snapshot after reopen');
isnt($share->snapshot, $kept, 'is another one');
is($stay->snapshot->{n}, 4, 'and a snapshot follows by itself');
ok(!$stay->retired, 'with the object');
$stay->set({ n => 5 });
is($new->get->{n}, 5, 'which writes there, too');
ok(!$share->retired, 'retired no more');
refused { Seqshare->new(100)->reopen } qr/invalid argument/, 'reopen of a share without a name';
refused { Seqshare->replace($name, 10) } qr/longer than the capacity/, 'replace: too small for the value';

Seqshare->unlink($name);
ok($share->retired, 'unlinked is retired');
ok($share->set({ n => 5 }), 'but all goes on');
refused { Seqshare->open($name) } qr/no share of that name/, 'open: no such name';
refused { $share->reopen } qr/no share of that name/, 'reopen: no such name';
refused { Seqshare->unlink($name) } qr/no share of that name/, 'unlink: no such name';

# ---- a snapshot follows its name, whatever moved that, and however often
{
    my $place = "/dev/shm/perl-test-$$";
    mkdir $place or die "$place: $!";
    my $path = "$place/share";
    my $make = sub {
        my ($file, $n) = @_;
        Seqshare->create($file, 10_000, 0644)->set({ n => $n });
    };
    my $shows = sub {
        my ($object, $n) = @_;
        return wait_for { $object->snapshot->{n} == $n } "a snapshot with $n";
    };
    $make->($path, 1);
    my $follower = Seqshare->open($path);
    is($follower->snapshot->{n}, 1, 'by its path');
    Seqshare->unlink($path);
    is($follower->snapshot->{n}, 1, 'unlink: the last value stays') for 1 .. 2;
    $make->($path, 2);
    ok($shows->($follower, 2), 'unlink and create');
    CORE::unlink $path;
    is($follower->snapshot->{n}, 2, 'rm: the last value stays');
    $make->($path, 3);
    ok($shows->($follower, 3), 'rm and create');
    $make->("$path.new", 4);
    rename "$path.new", $path or die;
    ok($shows->($follower, 4), 'mv');
    is($follower->get->{n}, 4, 'and get reads there, too');
    rename $place, "$place.away" or die;
    is($follower->snapshot->{n}, 4, 'a folder that is away: the last value stays');
    mkdir $place or die;
    $make->($path, 5);
    ok($shows->($follower, 5), 'and another in its place');

    my $guard = $follower->lock;
    $make->("$path.new", 6);
    rename "$path.new", $path or die;
    Time::HiRes::sleep(1.1);
    is($follower->snapshot->{n}, 5, 'under the lock it stays where it is');
    $follower->set({ n => 7 });
    is($follower->snapshot->{n}, 7, 'and reads what it wrote');
    $guard->unlock;
    ok($shows->($follower, 6), 'then it follows');

    chdir $place or die;
    my $relative = Seqshare->open('./share', read_only => 1);
    is($relative->snapshot->{n}, 6, 'by a relative path');
    chdir '/' or die;
    Seqshare->replace($path, 20_000, 0644)->set({ n => 8 });
    is($relative->snapshot->{n}, 8, 'that is another folder\'s by now');

SKIP: {
        may_become_another() or skip 'needs root who may become another user: CAP_SETUID and the like', 1;
        Seqshare->replace($path, 10_000, 0644)->set({ n => 9 });
        my $said = join '', do {
            my $pid = open my $pipe, '-|';
            defined $pid or die "fork: $!";
            if (!$pid) {
                local $SIG{__WARN__} = sub { print "warned: @_" };
                my $share = Seqshare->open($path, read_only => 1);
                print $share->snapshot->{n}, "\n";
                ($(, $)) = (65534, '65534 65534');
                ($<, $>) = (65534, 65534);
                print "ready\n";
                STDOUT->flush;
                Time::HiRes::sleep(0.05) until -e "$place/moved";
                print $share->snapshot->{n}, "\n" for 1 .. 3;
                STDOUT->flush;
                POSIX::_exit(0);
            }
            my @lines;
            while (<$pipe>) {
                push @lines, $_;
                next unless /ready/;
                Seqshare->replace($path, 10_000, 0600)->set({ n => 10 });
                open my $mark, '>', "$place/moved" or die;
            }
            @lines;
        };
        like(
            $said,
            qr/\A9\nready\nwarned: snapshot: the share's name cannot be followed: .*permissions.*\n9\n9\n9\n\z/,
            'where it may not open what the name leads to, it says so once, and reads on'
        );
    }
    CORE::unlink glob "$place/* $place.away/*";
    rmdir $_ for $place, "$place.away";
}

# ---- descriptors
my $anonymous = Seqshare->new(10_000);
$anonymous->set('by descriptor');
my $fd = $anonymous->fd;
like($fd, qr/\A[0-9]+\z/, 'fd is a number');
my $attached = Seqshare->attach($fd);
open my $handle, '+<&=', $fd or die;
ok(fcntl($handle, F_GETFD, 0) & FD_CLOEXEC, 'fd is close-on-exec');
is($attached->get, 'by descriptor', 'attach by number');
$attached->set('written there');
is($anonymous->get, 'written there', 'attach writes');
is(Seqshare->attach($handle)->get, 'written there', 'attach by handle');
close $handle;
is($attached->get, 'written there', 'the share does not need it any more');
my $ro = $anonymous->fd(read_only => 1);
refused { Seqshare->attach($ro) } qr/permissions|read-only/, 'attach for writing of a read-only descriptor';
is(Seqshare->attach($ro, read_only => 1)->get, 'written there', 'attach for reading');
POSIX::close($ro);
refused { Seqshare->attach($ro) } qr/descriptor is not open/, 'attach: not open';
refused { Seqshare->attach('x') } qr/give an open descriptor/, 'attach: not a number';
open my $null, '<', '/dev/null' or die;
refused { Seqshare->attach($null, read_only => 1) } qr/not a share/, 'attach: not a share';

# ---- drop_write
ok(child_says {
    my $child = $anonymous;
    $child->drop_write;
    !eval { $child->set('no'); 1 } or return 0;
    $@ =~ /read-only/ && $child->get eq 'written there' && !$child->stat->{writable};
}, 'drop_write in a child');
ok($anonymous->set('parent'), 'leaves the parent alone');
$anonymous->prefault;

# ---- wait
my $waited = Seqshare->new(1000);
my $from   = time;
ok(!$waited->wait(0.05), 'wait: nothing happened');
ok(!$waited->wait(0),    'wait(0) only looks');
$waited->set(1);
ok(!$waited->wait(0), 'what this object published is not news to it');
ok(child_says { $waited->set(2) }, 'another process publishes');
ok($waited->wait(0), 'that is news');
ok($waited->wait(0), 'until it is read');
is($waited->get, 2, 'get');
ok(!$waited->wait(0), 'then no more');
my $publisher = child { Time::HiRes::sleep(0.2); $waited->set(3) };
ok($waited->wait, 'wait for as long as it takes');
is($waited->snapshot, 3, 'snapshot');
ok(join_child($publisher), 'the publisher went well');
ok(!$waited->wait(0), 'a snapshot is a read');
{
    my $rang = 0;
    local $SIG{ALRM} = sub { $rang++ };
    Time::HiRes::alarm(0.05);
    ok(!$waited->wait(0.3), 'a signal does not end the wait');
    is($rang, 1, 'and its handler ran');
    local $SIG{ALRM} = sub { die "rang\n" };
    ok(!eval { Time::HiRes::alarm(0.05); $waited->wait; 1 } && $@ eq "rang\n", 'unless it dies');
}
refused { $waited->wait('x') } qr/number of seconds/, 'wait: not a number';
refused { $waited->wait(-1) } qr/number of seconds/, 'wait: a negative one';
my $moving = fresh_name();
my $old    = Seqshare->create($moving, 100);
$old->set(1);
Seqshare->replace($moving, 200);
ok($old->wait(5), 'wait follows the name of a replaced region');
is($old->get, 1, 'to the value there');
ok(!$old->wait(0), 'which is not news then');
CORE::unlink "/dev/shm/seqshare.$moving";
{
    my $maker = child { Time::HiRes::sleep(0.2); Seqshare->create($moving, 100)->set(2) };
    ok($old->wait(30), 'and that of a name that was made again by hand');
    is($old->get, 2, 'to the value there');
    ok(join_child($maker), 'which another process made');
}
{
    my $guard = $old->lock;
    CORE::unlink "/dev/shm/seqshare.$moving";
    Seqshare->create($moving, 100)->set(3);
    refused { $old->wait(30) } qr/replaced|moved|another region/, 'but not under the lock';
}

# ---- stat
$from = Time::HiRes::time();
my $looked = Seqshare->new(12_345, slots => 4);
is($looked->stat->{published}, undef, 'stat before the first set');
$looked->set({ a => 1 });
my $stat = $looked->stat;
is($stat->{version}, 1, 'stat: version');
is($stat->{capacity}, 12_345, 'stat: capacity');
is($stat->{slots}, 4, 'stat: slots');
is($stat->{codec}, 'Storable', 'stat: codec');
is($stat->{writer}, $$, 'stat: writer');
is($stat->{owner}, 0, 'stat: nobody owns the lock');
ok($stat->{writable} && !$stat->{retired} && !$stat->{replaced} && !$stat->{unlinked}, 'stat: what it is');
cmp_ok($stat->{published}, '>', $stat->{created} - 1, 'stat: published, by a coarse clock');
cmp_ok($stat->{created}, '>', $from - 60, 'stat: a time of today');
cmp_ok($stat->{length}, '>', 0, 'stat: length');
like($stat->{region_id}, qr/\A[0-9a-f]{32}\z/, 'stat: region_id');
{
    my $guard = $looked->lock;
    is($looked->stat->{owner}, $$, 'stat: the owner of the lock');
    ok($looked->stat->{owner_alive}, 'lives');
}

done_testing;
