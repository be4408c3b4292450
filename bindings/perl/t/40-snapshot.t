# SPDX-License-Identifier: MIT
# snapshot: kept until the version moves, deeply read-only, and as good to read as any structure.
# Shows: no promise of the library, but what a snapshot is.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use Data::Dumper ();
use Hash::Util qw(lock_keys unlock_keys);
use Storable qw(dclone);
use Test::More;
use Seqshare;

my $share = Seqshare->new(1 << 20);
is($share->snapshot, undef, 'nothing has been published');

my $data = {
    a    => 1,
    list => [ 1, 2, { x => 1 } ],
    h    => { k => undef, text => "caf\x{e9} \x{263a}" },
    n    => 1.5,
    e    => {},
};
$share->set($data);
my $c = $share->snapshot;
is_deeply($c, $data, 'the structure');
is($share->snapshot, $c, 'the very same until the version moves');
$share->set({ other => 1 });
isnt($share->snapshot, $c, 'another one then');
is_deeply($c, $data, 'and the old one stays whole for who has it');
$share->set($data);
$c = $share->snapshot;

# ---- every change dies, and changes nothing
my %change = (
    'store of a new key'           => sub { $c->{new} = 1 },
    'store of an old key'          => sub { $c->{a} = 2 },
    'store in a nested hash'       => sub { $c->{h}{new} = 1 },
    'store in an empty hash'       => sub { $c->{e}{new} = 1 },
    'store over undef'             => sub { $c->{h}{k} = 1 },
    'store of a slice'             => sub { @$c{qw(a b)} = (1, 2) },
    'delete'                       => sub { delete $c->{a} },
    'delete of a nested key'       => sub { delete $c->{h}{text} },
    'delete of a slice'            => sub { delete @$c{qw(a n)} },
    'delete local'                 => sub { delete local $c->{a} },
    'local'                        => sub { local $c->{a} = 4 },
    'clearing a hash'              => sub { %$c = () },
    'clearing a nested hash'       => sub { %{ $c->{h} } = () },
    'undef of a hash'              => sub { undef %$c },
    'assigning a hash'             => sub { %$c = (a => 5) },
    'assigning an empty hash'      => sub { %{ $c->{e} } = (a => 5) },
    'delete within each'           => sub { while (my ($k) = each %$c) { delete $c->{$k} } },
    'increment'                    => sub { $c->{a}++ },
    'appending'                    => sub { $c->{h}{text} .= 'x' },
    'substitution'                 => sub { $c->{h}{text} =~ s/c/d/ },
    'chop'                         => sub { chop $c->{a} },
    'undef of a value'             => sub { undef $c->{a} },
    'swap'                         => sub { ($c->{a}, $c->{n}) = ($c->{n}, $c->{a}) },
    'change through values'        => sub { $_++ for values %$c },
    'change through a reference'   => sub { ${ \$c->{a} } = 9 },
    'change through an argument'   => sub { sub { $_[0] = 1 }->($c->{a}) },
    'change of the snapshot'       => sub { $_ = 1 for $share->snapshot },
    'autovivified hash'            => sub { my $x = $c->{new}{x} },
    'autovivified array'           => sub { push @{ $c->{new} }, 1 },
    'autovivified below undef'     => sub { push @{ $c->{h}{k} }, 1 },
    'autovivified by exists'       => sub { exists $c->{new}{x} },
    'autovivified by foreach'      => sub { for (@{ $c->{new} }) { } },
    'autovivified by a reference'  => sub { my $x = \$c->{new} },
    'store in an array'            => sub { $c->{list}[0] = 7 },
    'store behind an array'        => sub { $c->{list}[10] = 7 },
    'store deep in an array'       => sub { $c->{list}[2]{x} = 7 },
    'push'                         => sub { push @{ $c->{list} }, 1 },
    'pop'                          => sub { pop @{ $c->{list} } },
    'shift'                        => sub { shift @{ $c->{list} } },
    'unshift'                      => sub { unshift @{ $c->{list} }, 1 },
    'splice'                       => sub { splice @{ $c->{list} }, 1, 1 },
    'undef of an array'            => sub { undef @{ $c->{list} } },
    'clearing an array'            => sub { @{ $c->{list} } = () },
    'assigning an array'           => sub { @{ $c->{list} } = (1, 2) },
    'shortening an array'          => sub { $#{ $c->{list} } = 0 },
    'lengthening an array'         => sub { $#{ $c->{list} } = 10 },
    'delete of an element'         => sub { delete $c->{list}[0] },
    'sort in place'                => sub { @{ $c->{list} } = sort @{ $c->{list} } },
    'reverse in place'             => sub { @{ $c->{list} } = reverse @{ $c->{list} } },
    'map that changes'             => sub { map { s/1/2/ } @{ $c->{list} } },
    'weaken'                       => sub { Scalar::Util::weaken($c->{list}) },
);
for my $name (sort keys %change) {
    my $lived = eval { $change{$name}->(); 1 };
    like($lived ? 'lived' : $@, qr/read-only/, $name);
    is_deeply($c, $data, "$name: nothing changed") or last;
}
is_deeply([ sort keys %$c ], [qw(a e h list n)], 'the keys are all there');
is($share->snapshot, $c, 'and it is still the snapshot');

# ---- reading is reading
is($c->{absent}, undef, 'an absent key is undef');
is($c->{h}{absent}, undef, 'a nested one too');
ok(!exists $c->{absent}, 'and does not exist');
ok(exists $c->{h}{k} && !defined $c->{h}{k}, 'a key with undef exists');
is($c->{list}[99], undef, 'an absent element is undef');
is($c->{absent} // 'default', 'default', '//');
is(sub { $_[0] }->($c->{absent}), undef, 'an absent key as an argument');
is_deeply([ @$c{qw(absent a)} ], [ undef, 1 ], 'a slice');
is_deeply({ a => $c->{absent} }, { a => undef }, 'in a constructor');
is(scalar(@{ $c->{absent} || [] }), 0, '|| []');
is("$c->{a}", '1', 'in a string');
ok(%$c && !%{ $c->{e} }, 'truth of hashes');

my %seen;
while (my ($key, $value) = each %$c) { $seen{$key} = $value }
is_deeply(\%seen, $data, 'each');
is(scalar(() = values %$c), 5, 'values');
is_deeply([ sort { $a <=> $b } grep { !ref } @{ $c->{list} } ], [ 1, 2 ], 'sort and grep');
is_deeply([ map { $_ + 1 } @{ $c->{list} }[ 0, 1 ] ], [ 2, 3 ], 'map');
is_deeply({%$c}, $data, 'a shallow copy');
{
    my %copy = %$c;
    $copy{a} = 2;
    is($c->{a}, 1, 'which may be changed');
}
like(Data::Dumper->new([$c])->Sortkeys(1)->Dump, qr/'a' => 1/, 'Data::Dumper');

my $clone = dclone($c);
is_deeply($clone, $data, 'dclone');
$clone->{new} = 1;
$clone->{a}   = 2;
push @{ $clone->{list} }, 4;
delete $clone->{h}{text};
%{ $clone->{e} } = (x => 1);
is_deeply(
    $clone,
    { a => 2, list => [ 1, 2, { x => 1 }, 4 ], h => { k => undef }, n => 1.5, e => { x => 1 }, new => 1 },
    'of which everything may be changed'
);
is_deeply($c, $data, 'without changing the snapshot');
$share->set($c);
is_deeply($share->get, $data, 'a snapshot can be set');
my $got = $share->get;
$got->{new} = 1;
ok(exists $got->{new}, 'and what get returns may be changed');
$c = $share->snapshot;

SKIP: {
    need('JSON::XS') or skip 'no JSON::XS', 3;
    is_deeply(JSON::XS::decode_json(JSON::XS::encode_json($c)), $data, 'JSON::XS');
    my $json = Seqshare->new(1000, codec => 'JSON');
    $json->set({ on => JSON::XS::decode_json('[true]')->[0] });
    ok($json->snapshot->{on}, 'true');
    my $true = JSON::XS::decode_json('[true]');
    ok(eval { $true->[0] = 5; 1 }, 'and nobody else\'s true is harmed');
}
SKIP: {
    need(qw(Sereal::Encoder Sereal::Decoder)) or skip 'no Sereal', 1;
    is_deeply(Sereal::Decoder->new->decode(Sereal::Encoder->new->encode($c)), $data, 'Sereal');
}
SKIP: {
    need('CBOR::XS') or skip 'no CBOR::XS', 1;
    is_deeply(CBOR::XS::decode_cbor(CBOR::XS::encode_cbor($c)), $data, 'CBOR::XS');
}
is_deeply(JSON::PP->new->decode(JSON::PP->new->encode($c)), $data, 'JSON::PP') if require JSON::PP;

# ---- objects: frozen, unless they belong to somebody else as well
{
    package Counter;
    sub new { bless { n => 0 }, shift }
    sub inc { $_[0]{n}++ }

    package Stock;    # hands the same object to everybody
    my $stock = bless { uses => 0 }, 'Stock';
    sub STORABLE_freeze { return 'stock' }
    sub STORABLE_attach { return $stock }
}
$share->set({ counter => Counter->new, stock => bless({}, 'Stock') });
like(eval { $share->snapshot->{counter}->inc; 1 } ? 'lived' : $@, qr/read-only/, 'objects are read-only too');
ok(eval { $share->snapshot->{stock}{uses}++; 1 }, 'but not one that its class gave from its stock');

# ---- what is tied becomes what it showed, since stores would call its class
{
    package TiedHash;
    require Tie::Hash;
    our @ISA = 'Tie::StdHash';

    package TiedArray;
    require Tie::Array;
    our @ISA = 'Tie::StdArray';

    package TiedScalar;
    require Tie::Scalar;
    our @ISA = 'Tie::StdScalar';

    package Upper;    # shows something else than it has
    sub TIEHASH  { bless $_[1] }
    sub FETCH    { uc $_[0]{ $_[1] } }
    sub FIRSTKEY { my $first = keys %{ $_[0] }; each %{ $_[0] } }
    sub NEXTKEY  { each %{ $_[0] } }
    sub STORE    { $_[0]{ $_[1] } = $_[2] }

    package Dies;
    our @ISA = 'TiedHash';
    our $dying = 0;
    sub FETCH { die "no such thing\n" if $dying; $_[0]{ $_[1] } }
}
tie my %tied, 'TiedHash';
%tied = (limit => 1, list => [1], sub => { x => 1 });
tie my @tied, 'TiedArray';
@tied = (1, { y => 1 }, undef);
tie my $tied, 'TiedScalar';
$tied = [ 1, 2 ];
tie my %upper, 'Upper', { a => 'x' };
tie my %outer, 'TiedHash';
%outer = (inner => \%tied);
my $shown = {
    hash   => { limit => 1, list => [1], sub => { x => 1 } },
    array  => [ 1, { y => 1 }, undef ],
    scalar => \[ 1, 2 ],
    upper  => { a => 'X' },
    outer  => { inner => { limit => 1, list => [1], sub => { x => 1 } } },
};
my $untied = sub {
    $share->set({ hash => \%tied, array => \@tied, scalar => \$tied, upper => \%upper, outer => \%outer });
    return $share->snapshot;
};
my $s = $untied->();
is_deeply($s, $shown, 'tied things show in a snapshot what they showed');
my %change_tied = (
    'a value of a tied hash'        => sub { $s->{hash}{limit} = 999 },
    'a new key of it'               => sub { $s->{hash}{new} = 1 },
    'delete'                        => sub { delete $s->{hash}{limit} },
    'clear'                         => sub { %{ $s->{hash} } = () },
    'a list in it'                  => sub { push @{ $s->{hash}{list} }, 2 },
    'a hash in it'                  => sub { $s->{hash}{sub}{x} = 2 },
    'an element of a tied array'    => sub { $s->{array}[0] = 9 },
    'push to a tied array'          => sub { push @{ $s->{array} }, 3 },
    'pop of it'                     => sub { pop @{ $s->{array} } },
    'a hash in it, too'             => sub { $s->{array}[1]{y} = 2 },
    'a tied scalar'                 => sub { ${ $s->{scalar} } = 3 },
    'what a tied scalar refers to'  => sub { ${ $s->{scalar} }->[0] = 3 },
    'a hash whose class is another' => sub { $s->{upper}{a} = 'y' },
    'a tied hash in a tied hash'    => sub { $s->{outer}{inner}{limit} = 2 },
);
for my $name (sort keys %change_tied) {
    my $lived = eval { $change_tied{$name}->(); 1 };
    like($lived ? 'lived' : $@, qr/read-only/, "$name");
    is_deeply($share->snapshot, $shown, "$name: nothing changed") or last;
}
ok(tied %{ $share->get->{hash} }, 'get gives the tied thing itself');
is($share->get->{hash}{limit}, 1, 'with its values');
{
    tie my %dying, 'Dies';
    %dying = (a => 1);
    my @warned;
    local $SIG{__WARN__} = sub { push @warned, @_ };
    $share->set(\%dying);
    local $Dies::dying = 1;
    is_deeply($share->snapshot, $shown, 'a tied hash that dies when it is read: the last good value stays') for 1 .. 2;
    is(scalar(@warned), 1, 'and it is reported once');
    like($warned[0], qr/no such thing/, 'why');
}

{
    tie my %around, 'TiedHash';
    %around = (self => \%around, list => [ \%around ]);
    $share->set(\%around);
    my $now = $share->snapshot;
    is($now->{self}{list}[0], $now, 'a ring through a tied hash');
    for my $change (sub { $now->{new} = 1 }, sub { $now->{self}{new} = 1 }, sub { push @{ $now->{list} }, 1 }) {
        ok(!eval { $change->(); 1 }, 'is read-only as well');
        like($@, qr/read-only/, 'and says so');
    }
    is(join(',', sort keys %$now), 'list,self', 'nothing has changed');
}

# ---- restricted hashes, in which perl itself takes a key that is allowed and absent
{
    lock_keys(my %known, qw(limit rate));
    $known{limit} = 1;
    lock_keys(my %empty, 'rate');
    $share->set({ known => \%known, empty => \%empty });
    my $now    = $share->snapshot;
    my %change = (
        'an allowed key'                   => sub { $now->{known}{rate} = 2 },
        'an allowed key of an empty one'   => sub { $now->{empty}{rate} = 2 },
        'an allowed key, for a list'       => sub { push @{ $now->{known}{rate} }, 2 },
        'an allowed key, for a moment'     => sub { local $now->{known}{rate} = 2 },
        'a key that is there'              => sub { $now->{known}{limit} = 2 },
        'delete'                           => sub { delete $now->{known}{limit} },
        'clear'                            => sub { %{ $now->{known} } = () },
        'a key, after the lock was opened' => sub { unlock_keys(%{ $now->{known} }); $now->{known}{rate} = 2 },
    );
    for my $name (sort keys %change) {
        ok(!eval { $change{$name}->(); 1 }, "a restricted hash: $name");
        is_deeply([ %{ $share->snapshot->{known} }, %{ $share->snapshot->{empty} } ], [ limit => 1 ], "$name: nothing changed");
    }
}

# ---- odd structures
my $ring = { name => 'ring' };
$ring->{self} = $ring;
$share->set($ring);
like(eval { $share->snapshot->{self}{self}{x} = 1 } ? 'lived' : $@, qr/read-only/, 'a cycle is read-only');
delete $ring->{self};
my @holes;
$holes[3] = 1;
$share->set(\@holes);
is_deeply($share->snapshot, [ undef, undef, undef, 1 ], 'an array with holes');
like(eval { $share->snapshot->[1] = 1 } ? 'lived' : $@, qr/read-only/, 'which are read-only');
$share->set("text");
is($share->snapshot, 'text', 'a plain scalar');
ok(!eval { ${ \$share->snapshot } .= 'x'; 1 }, 'is read-only');
is($share->snapshot, 'text', 'and stays');
$share->set({ map { $_ => $_ } 1 .. 20_000 });
ok(!eval { %{ $share->snapshot } = (); 1 }, 'a big hash');
is(scalar keys %{ $share->snapshot }, 20_000, 'comes back after an attempt to clear it');
is($share->snapshot->{777}, 777, 'with its values');

# ---- a snapshot outlives the share
my $kept = do {
    my $short = Seqshare->new(1000);
    $short->set({ kept => [ 1, 2 ] });
    $short->snapshot;
};
is_deeply($kept, { kept => [ 1, 2 ] }, 'a snapshot outlives its share');

# ---- another's version seen on the next call
my $seen = Seqshare->new(10_000);
$seen->set({ n => 0 });
my $wrong = 0;
for my $n (1 .. 50) {
    child_says { $seen->set({ n => $n }) } or die;
    $wrong++ if $seen->snapshot->{n} != $n;
}
is($wrong, 0, 'a snapshot is never older than the last publication');

done_testing;
