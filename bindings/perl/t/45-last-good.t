# SPDX-License-Identifier: MIT
# snapshot goes on with the last good value while one stands that cannot be decoded, and says so once.
# Shows: JSON-2.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use Test::More;
use Seqshare;

my @warned;
local $SIG{__WARN__} = sub { push @warned, @_ };

{
    package Bomb;    # a value that cannot be decoded, and counts how often that was tried
    our $tried = 0;
    our $why   = "no fuse\n";
    sub STORABLE_freeze { return 'bomb' }
    sub STORABLE_thaw   { $tried++; die ref $why ? $why : "$why" }
}
my $name  = fresh_name();
my $share = Seqshare->create($name, 10_000);
my $other = Seqshare->open($name);

# ---- nothing good yet: it croaks at every call, in the line that calls, and decodes once
$other->set(bless {}, 'Bomb');
for (1 .. 3) {
    refused { $share->snapshot } qr/\Asnapshot: no fuse/, 'no good value: it croaks';
}
is($Bomb::tried, 1, 'the value was decoded once');
is_deeply(\@warned, [], 'and nothing was warned of');
refused { $share->get } qr/\Aget: no fuse/, 'get croaks, too';
$Bomb::why = { code => 7 };
$other->set(bless {}, 'Bomb');
for (1 .. 2) {
    ok(!eval { $share->snapshot; 1 }, 'an exception that is an object');
    is(ref $@ && $@->{code}, 7, 'stays one');
}
$Bomb::why = "no fuse\n";

# ---- with a good one
$share->set({ n => 1 });
my $good = $share->snapshot;
is($good->{n}, 1, 'a good value');
$Bomb::tried = 0;
$other->set(bless {}, 'Bomb');
my $version = $other->version;
{
    local $@ = "mine\n";
    is($share->snapshot, $good, 'a bad one: the last good one stays') for 1 .. 3;
    is($@, "mine\n", '$@ is the caller\'s');
}
is($Bomb::tried,    1, 'the bad one was decoded once');
is(scalar(@warned), 1, 'and told once');
like($warned[0],
    qr/\Asnapshot: no fuse; version $version is not used, and the last good value stays at \Q$0\E line \d+\.$/,
    'why, and from where');
@warned = ();
Seqshare->open($name, codec => 'raw')->set('not frozen');
is($share->snapshot, $good, 'bytes of another codec') for 1 .. 2;
is(scalar(@warned), 1, 'told once');
like($warned[0], qr/written with the codec raw/, 'and why');
@warned = ();
$share->set({ n => 2 });
is($share->snapshot->{n}, 2, 'a good one again');
is($good->{n},            1, 'and who kept the old one has it');
ok(child_says { $other->set({ n => 3 }); $share->snapshot->{n} == 3 }, 'in a child, too');
is_deeply(\@warned, [], 'nothing to tell');

# ---- the last good value outlives a new region that has none, and one that has a bad one
is($share->snapshot->{n}, 3, 'a value');
CORE::unlink "/dev/shm/seqshare.$name";
my $empty = Seqshare->create($name, 10_000);
wait_for { $share->snapshot; ($share->stat->{region_id} eq $empty->stat->{region_id}) } 'the new region';
is($share->version,       0, 'nothing has been published there');
is($share->snapshot->{n}, 3, 'the last good value stays');
$empty->set(bless {}, 'Bomb');
is($share->snapshot->{n}, 3, 'and beside a bad one') for 1 .. 2;
is(scalar(@warned), 1, 'of which it tells');
$empty->set({ n => 4 });
is($share->snapshot->{n}, 4, 'a good one there');
ok($share->reopen == 0, 'reopen has nothing to do');

# ---- a class that asks for a snapshot while one is decoded
{
    package Curious;
    our $seen;
    sub STORABLE_freeze { return 'curious' }
    sub STORABLE_thaw   { $seen = $share->snapshot; return }
}
$empty->set(bless {}, 'Curious');
is(ref $share->snapshot, 'Curious', 'a hook that asks for a snapshot');
is($Curious::seen->{n}, 4, 'gets the one before');

# ---- JSON: what others forced in past the check
SKIP: {
    need('JSON::XS') or skip 'no JSON::XS', 13;
    my $json = Seqshare->new(100_000, codec => 'JSON');
    my $raw  = Seqshare->attach($json->fd, codec => 'raw');
    $json->set({ n => 1 });
    is($json->snapshot->{n}, 1, 'JSON: a good one');
    @warned = ();
    for my $text ('{"n":', '{"n":1e999}', '{"n":NaN}', qq({"n":"\xff"}), '{"n\u0000":1}', '["\ud800"]',
        '[' x 600 . ']' x 600, '', "\xef\xbb\xbf{}")
    {
        $raw->set($text);
        is($json->snapshot->{n}, 1, 'JSON: ' . substr($text, 0, 12));
    }
    is(scalar(@warned), 9, 'JSON: each was reported');
    like($warned[0], qr/\Asnapshot: not JSON: a value is missing in line 1, at byte 6; version 2 is not used/,
        'JSON: by the grammar of all');
    $raw->set('[' x 512 . ']' x 512);
    is(ref $json->snapshot, 'ARRAY', 'JSON: what is as deep as it may be is taken');
}

done_testing;
