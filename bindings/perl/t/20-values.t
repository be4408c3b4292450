# SPDX-License-Identifier: MIT
# Every value comes out as it went in, through every codec.
# Shows: JSON-1.
use strict;
use warnings;
use utf8;
use lib 't/lib';
use Kit;
use Scalar::Util qw(blessed isweak reftype weaken);
use Test::More;
use Seqshare;

my @codecs = codecs();

my %scalars = (
    'a number'         => 42,
    'a negative one'   => -7,
    'a large one'      => 18446744073709551615,
    'a fraction'       => 0.1,
    'zero'             => 0,
    'undef'            => undef,
    'the empty string' => '',
    'ASCII'            => 'plain',
    'Latin-1'          => "caf\x{e9}",
    'wide characters'  => "\x{263a} naïve 漢字",
    'a zero byte'      => "a\0b",
    'a number string'  => '007',
);
my %structures = (
    'a hash'        => { a => 1, b => { c => [ 1, 2, { d => undef } ] } },
    'an array'      => [ 1, [ 2, [ 3, [] ] ], {} ],
    'an empty hash' => {},
    'wide keys'     => { "\x{263a}" => 1, "caf\x{e9}" => 2 },
    'nested undef'  => [ undef, { a => undef } ],
    'a config'      => config(3),
    'a big one'     => { map { $_ => [ ($_) x 20 ] } 1 .. 5000 },
);

for my $codec (@codecs) {
    my $share = Seqshare->new(1 << 22, codec => $codec);
    is($share->get, undef, "$codec: nothing yet");
    for my $name (sort keys %scalars) {
        $share->set($scalars{$name});
        is($share->get, $scalars{$name}, "$codec: $name");
        is($share->snapshot, $scalars{$name}, "$codec: $name, as a snapshot");
    }
    for my $name (sort keys %structures) {
        $share->set($structures{$name});
        is_deeply($share->get, $structures{$name}, "$codec: $name");
        is_deeply($share->snapshot, $structures{$name}, "$codec: $name, as a snapshot");
    }
    is($share->stat->{codec}, $codec, "$codec: stat says who wrote it");
    next if $codec eq 'CBOR';    # CBOR::XS makes something of everything
    my $before = $share->version;
    refused { $share->set({ code => sub { } }) } qr/\A set: .+/x, "$codec: code is refused";
    is($share->version, $before, "$codec: and the old value stands");
}

# Bytes of every kind, where strings may be binary.
my $binary = join '', map { chr } 0 .. 255;
for my $codec (grep { $_ ne 'JSON' } @codecs, 'raw') {
    my $share = Seqshare->new(10_000, codec => $codec);
    $share->set($binary);
    is($share->get, $binary, "$codec: 256 bytes");
    ok(!utf8::is_utf8($share->get), "$codec: are bytes");
}

# Values that only Perl has
for my $codec (grep { $_ eq 'Storable' || $_ eq 'Sereal' } @codecs) {
    my $share = Seqshare->new(100_000, codec => $codec);

    $share->set(bless { name => 'x' }, 'My::Class');
    isa_ok($share->get, 'My::Class', "$codec: an object");
    isa_ok($share->snapshot, 'My::Class', "$codec: a snapshot of one");

    my $ring = { name => 'ring' };
    $ring->{self} = $ring;
    $share->set($ring);
    my $got = $share->get;
    is($got->{self}, $got, "$codec: a cycle");
    is($share->snapshot->{self}{self}{name}, 'ring', "$codec: a snapshot of one");
    $_->{self} = undef for $ring, $got;

    my $tree = { child => {} };
    $tree->{child}{parent} = $tree;
    weaken $tree->{child}{parent};
    $share->set($tree);
    ok(isweak($share->get->{child}{parent}), "$codec: weak references stay weak");

    my $both = [1];
    $share->set([ $both, $both ]);
    $got = $share->get;
    is($got->[0], $got->[1], "$codec: two references to one thing");

    $share->set(\"text");
    is(${ $share->get }, 'text', "$codec: a reference to a scalar");
    $share->set(\\"text");
    is($${ $share->get }, 'text', "$codec: a reference to a reference");
    $share->set([qr/ab+c/i]);
    like('xABBC', $share->get->[0], "$codec: a pattern");
    like('xABBC', $share->snapshot->[0], "$codec: a snapshot of one");

    my $deep = my $at = [];
    for (1 .. 500) { push @$at, []; $at = $at->[0] }
    $share->set($deep);
    my $levels = 0;
    for ($at = $share->snapshot; @$at; $at = $at->[0]) { $levels++ }
    is($levels, 500, "$codec: 500 levels");
}

# Numbers stay numbers, strings stay strings.
my $plain = Seqshare->new(1000);
$plain->set(17);
ok(!(B::svref_2object(\$plain->get)->FLAGS & B::SVf_POK()), 'a number is not a string') if require B;
$plain->set('17');
ok(B::svref_2object(\$plain->get)->FLAGS & B::SVf_POK(), 'and a string is one');
$plain->set($] >= 5.036 ? !!1 : 1);
is($plain->get, 1, 'true');
for my $number (9**9**9, -9**9**9) {
    $plain->set($number);
    cmp_ok($plain->get, '==', $number, "$number");
}
my $text = 'magical';
$text =~ /(gic)/;
$plain->set($1);
is($plain->get, 'gic', 'a magical scalar');
{
    package Tied;
    my $fetched = 0;
    sub TIESCALAR { bless [] }
    sub FETCH     { return [ ++$fetched ] }
}
tie my $tied, 'Tied';
$plain->set($tied);
is_deeply($plain->get, [1], 'a tied scalar is asked once');
my $keep = 'kept' x 100;
$plain->set($keep . '');
is($keep, 'kept' x 100, 'set leaves its argument alone');
refused { $plain->set(*STDOUT) } qr/glob/, 'a glob is refused';

# $@ is the caller's.
eval { die "mine\n" };
$plain->set({ a => 1 });
$plain->get;
is($@, "mine\n", 'set and get leave $@ alone');

# raw
my $raw = Seqshare->new(1000, codec => 'raw');
refused { $raw->set(undef) } qr/raw takes a string of bytes/, 'raw: no undef';
refused { $raw->set([]) } qr/raw takes a string of bytes/, 'raw: no references';
refused { $raw->set("\x{263a}") } qr/wide characters/, 'raw: no characters';
my $latin = "caf\x{e9}";
utf8::upgrade($latin);
$raw->set($latin);
is($raw->get, "caf\x{e9}", 'raw: characters below 256 are bytes');
ok(utf8::is_utf8($latin), 'raw: and the argument stays as it was');

# JSON: nothing is published that others could not read.
SKIP: {
    skip 'no JSON::XS', 1 unless grep { $_ eq 'JSON' } @codecs;
    my $json = Seqshare->new(100_000, codec => 'JSON');
    $json->set({ rate => 100 });
    my $infinite = 9**9**9;
    my $deep     = [];
    $deep = [$deep] for 1 .. 512;
    my %refused = (
        'infinity'            => [ { rate => $infinite },             qr/infinity or NaN/ ],
        'minus infinity'      => [ [ -$infinite ],                    qr/infinity or NaN/ ],
        'NaN'                 => [ { a => [ $infinite - $infinite ] }, qr/infinity or NaN/ ],
        'half of a pair'      => [ { a => "\x{d800}" },               qr/not UTF-8/ ],
        'beyond Unicode'      => [ { a => chr 0x110000 },             qr/not UTF-8|codepoint/ ],
        'a zero in a name'    => [ { "a\0b" => 1 },                   qr/zero character in a name/ ],
        '513 brackets'        => [ $deep,                             qr/not JSON|nesting/ ],
        'a string, by itself' => [ $infinite,                         qr/infinity or NaN/ ],
    );
    for my $name (sort keys %refused) {
        my ($value, $why) = @{ $refused{$name} };
        no warnings;
        refused { $json->set($value) } $why, "JSON: set of $name";
        refused { $json->update(sub { $value }) } $why, "JSON: update to $name";
        is_deeply($json->get, { rate => 100 }, "JSON: $name: the old value stands");
    }
    is($json->update(sub { $_->{rate}++; $_ }), 2, 'JSON: update works on');
    $json->set($deep->[0]);
    is(JSON::XS->new->encode($json->get), '[' x 512 . ']' x 512, 'JSON: 512 brackets are taken');
    $json->set({ zero => "a\0b", euro => "\x{20ac}", twice => "\x{1f600}" });
    is_deeply($json->snapshot, { zero => "a\0b", euro => "\x{20ac}", twice => "\x{1f600}" }, 'JSON: strings');
    Seqshare->attach($json->fd, codec => 'raw')->set('{"a":1,"b":{"a":1},"a":2}');
    is($json->get->{a}, 2, 'JSON: of two names, the last counts');
    is($json->stat->{tag}, 0, 'JSON: bytes have no mark');
    $json->set({ a => 1 });
    is($json->stat->{tag}, 0xd86fc7a3, 'JSON: what has been checked has the mark of all languages');
    is(Seqshare->attach($json->fd, codec => 'raw')->get, '{"a":1}', 'JSON: raw reads it');
}

# Between codecs
my $name  = fresh_name();
my $write = Seqshare->create($name, 10_000, codec => 'Storable');
$write->set({ a => 1 });
for my $codec ('raw', grep { $_ ne 'Storable' } @codecs) {
    my $read = Seqshare->open($name, codec => $codec);
    refused { $read->get } qr/written with the codec Storable.*reads $codec/,
        "$codec: a value by Storable, get";
    refused { $read->snapshot } qr/written with the codec Storable/, "$codec: a value by Storable, snapshot";
}
is_deeply($write->get, { a => 1 }, 'which is as it was');
SKIP: {
    skip 'no JSON::XS', 1 unless grep { $_ eq 'JSON' } @codecs;
    Seqshare->open($name, codec => 'raw')->set('{"from":"a shell"}');
    my $json = Seqshare->open($name, codec => 'JSON');
    is_deeply($json->get, { from => 'a shell' }, 'JSON: bytes that others wrote');
}
Seqshare->open($name, codec => 'raw')->set('not frozen');
refused { $write->get } qr/written with the codec raw/, 'Storable does not thaw bytes that others wrote';

done_testing;
