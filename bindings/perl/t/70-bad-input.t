# SPDX-License-Identifier: MIT
# Each mistake is answered with one sentence from the caller's line, and the old value stands.
# Shows: WRITE-2.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use Test::More;
use Time::HiRes ();
use Seqshare;
use IPC::Mmap::Share;

for my $class ('Seqshare', 'IPC::Mmap::Share') {
    refused { $class->new } qr/no size given/, "$class: no size";
    for my $size (0, -1, 1.5, 'large', '', '12 monkeys', 'inf', 'nan', [100]) {
        refused { $class->new($size) } qr/whole number above 0/, "$class: the size '$size'";
    }
    refused { $class->new(1e18) } qr/not enough memory|address space/, "$class: more than there is";
}
refused { Seqshare->new(100, codec => 'YAML') }
    qr/no codec 'YAML'; there are CBOR, JSON, Sereal, Storable, raw/, 'an unknown codec';
refused { Seqshare->new(100, 'codec') } qr/pairs/, 'half an option';
refused { Seqshare->new(100, colour => 'red') } qr/no option 'colour'; there are codec, slots/,
    'an unknown option';
for my $slots (0, 1, 3, 16, 'two') {
    refused { Seqshare->new(100, slots => $slots) } qr/invalid argument|whole number/, "$slots slots";
}
for my $verb ('create', 'replace') {
    refused { Seqshare->$verb } qr/no name given/, "$verb: no name";
    refused { Seqshare->$verb('x') } qr/no size given/, "$verb: no size";
    refused { Seqshare->$verb("a\0b", 100) } qr/name must be/, "$verb: a name with a zero byte";
    refused { Seqshare->$verb("\x{263a}", 100) } qr/name must be/, "$verb: a name of characters";
    refused { Seqshare->$verb([], 100) } qr/name must be/, "$verb: a reference for a name";
    refused { Seqshare->$verb('.', 100) } qr/invalid argument/, "$verb: the name .";
    refused { Seqshare->$verb('x' x 300, 100) } qr/too long/, "$verb: a long name";
    refused { Seqshare->$verb('perl-test', 100, 'rw') } qr/mode/, "$verb: no mode";
    refused { Seqshare->$verb('perl-test', 100, 640) } qr/such as 0640/, "$verb: a mode that is not octal";
    refused { Seqshare->$verb('perl-test', 100, 0600, 'codec') } qr/pairs/, "$verb: half an option";
    refused { Seqshare->$verb('/no/such/folder/x', 100) } qr/no such folder/, "$verb: no such folder";
}
refused { Seqshare->open } qr/no name given/, 'open: no name';
refused { Seqshare->open('x', write => 1) } qr/no option 'write'/, 'open: an unknown option';
refused { Seqshare->unlink } qr/no name given/, 'unlink: no name';
refused { Seqshare->attach } qr/give an open descriptor/, 'attach: nothing';
refused { Seqshare->attach(-1) } qr/give an open descriptor/, 'attach: -1';

# Codecs that are not installed: hidden from @INC.
for my $codec ([ Sereal => 'Sereal::Encoder' ], [ JSON => 'JSON::XS' ], [ CBOR => 'CBOR::XS' ]) {
    my ($name, $module) = @$codec;
    my $said = do {
        open my $pipe, '-|', $^X, (map {"-I$_"} @INC), '-MSeqshare', '-e', <<'CODE', $name, $module or die;
            my ($name, $module) = @ARGV;
            (my $file = "$module.pm") =~ s{::}{/}g;
            unshift @INC, sub { die "hidden\n" if $_[1] eq $file; return };
            print eval { Seqshare->new(100, codec => $name); 'made' } || $@;
CODE
        join '', <$pipe>;
    };
    like($said, qr/\Athe codec $name needs .*\Q$module\E.* at -e line 4\.$/, "$name is not installed");
}

# Methods on values that are not a share, or no longer one
my $share = Seqshare->new(100);
$share->set('stands');
my $closed = Seqshare->new(100);
$closed->close;
my %methods = (
    get        => [],
    snapshot   => [],
    set        => [1],
    set_if     => [ 0, 1 ],
    version    => [],
    update     => [ sub { 1 } ],
    wait       => [0],
    fd         => [],
    reopen     => [],
    retired    => [],
    drop_write => [],
    prefault   => [],
    capacity   => [],
    stat       => [],
    is_locked  => [],
    lock       => [0],
);
for my $method (sort keys %methods) {
    refused { my $x = $closed->$method(@{ $methods{$method} }) } qr/\A$method: the share is closed/,
        "$method: a closed share";
    my $code = Seqshare->can($method);
    refused { my $x = $code->({}, @{ $methods{$method} }) } qr/not a share/, "$method: not a share";
}
is($closed->close, undef, 'closing twice is fine');
refused { $share->set } qr/no value given/, 'set without a value';
refused { $share->set(1, 2) } qr/one value/, 'set of two';
refused { Seqshare->get } qr/not a share/, 'get on the class';

# Called through code of another package: its line is blamed, which is the program's.
{
    package Program;
    sub call { $share->set('x' x 200) }    # line to blame: this one
}
eval { Program::call() };
my $line = __LINE__ - 3;
like($@, qr/size of at least 201.* at \Q$0\E line $line\.$/, 'the line blamed is the one that called');
is($share->get, 'stands', 'and the old value stands');

# The last reference to a share is dropped while one of its methods runs.
{
    package Dropper;
    our $share;
    sub STORABLE_freeze { undef $share; return 'frozen' }
    sub STORABLE_thaw   { undef $share; return }
}
for my $class ('Seqshare', 'IPC::Mmap::Share') {
    $Dropper::share = $class->new(1000);
    is($Dropper::share->set(bless {}, 'Dropper'), 1, "$class: a hook drops the share during set");
    $Dropper::share = $class->new(1000);
    $Dropper::share->lock if $class ne 'Seqshare';
    {
        no warnings 'redefine';
        local *Dropper::STORABLE_freeze = sub { 'frozen' };
        $Dropper::share->set(bless {}, 'Dropper');
    }
    my $method = $class eq 'Seqshare' ? 'snapshot' : 'get';
    is(ref $Dropper::share->$method, 'Dropper', "$class: during $method");
    is($Dropper::share, undef, "$class: and it is gone");
}
{
    $Dropper::share = Seqshare->new(1000);
    local $SIG{ALRM} = sub { undef $Dropper::share };
    eval { Time::HiRes::alarm(0.1); $Dropper::share->wait(0.5) };
    is($Dropper::share, undef, 'a signal handler drops the share during wait');
}

# Damaged regions: an error or another value, and no crash. Through raw: Storable is not made for damaged
# bytes.
my $name = fresh_name();
my $path = "/dev/shm/seqshare.$name";
Seqshare->create($name, 1000, codec => 'raw')->set('x' x 300);
my $image = do { open my $file, '<:raw', $path or die; local $/; <$file> };
my ($sound, $said, $odd) = (0, 0, 0);
srand 7;
for my $round (1 .. 400) {
    my $copy = $image;
    substr $copy, int rand($round % 2 ? 1024 : length $copy), 1, chr int rand 256 for 1 .. 1 + $round % 30;
    open my $out, '>:raw', "$path.damaged" or die;
    print $out $copy;
    close $out;
    my $value = eval { Seqshare->open("$path.damaged", read_only => 1, codec => 'raw')->snapshot };
    if (defined $value) { $sound++ }
    elsif ($@ =~ /\A[^\n]+ at \Q$0\E line [0-9]+\.\n\z/) { $said++ }
    else { $odd++; diag("it said: $@") }
}
unlink "$path.damaged";
is($odd, 0, "400 damaged regions: $said refused with a sentence, $sound read, no crash");
cmp_ok($said, '>', 50, 'of which many were damaged enough');
truncate $path, 100;
refused { Seqshare->open($name) } qr/not a share|damaged/, 'a truncated file';
refused { Seqshare->open($0, read_only => 1) } qr/not a share/, 'a file that never was one';

done_testing;
