#!/usr/bin/env perl
# SPDX-License-Identifier: MIT
# The costs of a get and a set, beside other ways of sharing a structure between processes. One process, no
# contention: the price of the call itself, in processor time.
#
#     perl -Mblib benchmark/compare.pl [--quick]
#
# All take turns, round after round, and the best round of each counts; a ratio is the median of the
# ratios within each round, so that a machine that is slower for a while is slower for both.
use strict;
use warnings;
use Storable qw(freeze thaw);
use Time::HiRes qw(clock_gettime CLOCK_PROCESS_CPUTIME_ID);
use IPC::Mmap::Share;
use Seqshare;

my $quick  = @ARGV && $ARGV[0] eq '--quick';
my $rounds = $quick ? 3 : 41;
my $slice  = $quick ? 0.002 : 0.02;    # seconds

# 20 keys with nested lists
my $data = {
    map {
        my $i = $_;
        "service_$i" => $i % 2
            ? { host => "h$i.example.net", port => 8000 + $i, weights => [ 1 .. 4 ], tags => [ "a$i", "b" ] }
            : [ map { $_ * $i } 1 .. 8 ]
    } 1 .. 20
};
my $scalar = 4711;
my $size   = 10_000;
my $frozen = freeze($data);

# The predecessor's way: a SysV semaphore around reading or writing the whole area, Storable around a
# reference to the value. A stand-in: the module itself does not work with its present dependency.
package Predecessor {
    use IPC::SysV qw(IPC_PRIVATE IPC_CREAT IPC_RMID);
    use IPC::Semaphore;
    use Storable qw(freeze thaw);

    sub new {
        my ($class, $size) = @_;
        my $self = bless { size => $size }, $class;
        $self->{area} = shmget IPC_PRIVATE, $size, IPC_CREAT | 0600;
        defined $self->{area} or die "shmget: $!";
        $self->{semaphore} = IPC::Semaphore->new(IPC_PRIVATE, 1, IPC_CREAT | 0600) or die "semget: $!";
        return $self;
    }
    sub lock   { $_[0]{semaphore}->op(0, 0, 0, 0, 1, 0) or die "semop: $!" }
    sub unlock { $_[0]{semaphore}->op(0, -1, 0) or die "semop: $!" }

    sub set {
        my ($self, $value) = @_;
        my $frozen = freeze(\$value);
        die 'too large' if length $frozen > $self->{size};
        $self->lock;
        shmwrite $self->{area}, $frozen, 0, $self->{size} or die "shmwrite: $!";
        $self->unlock;
    }

    sub get {
        my ($self) = @_;
        $self->lock;
        shmread $self->{area}, my $frozen, 0, $self->{size} or die "shmread: $!";
        $self->unlock;
        return ${ thaw($frozen) };
    }
    sub remove { my ($self) = @_; shmctl $self->{area}, IPC_RMID, 0; $self->{semaphore}->remove }
}

# [ what, group, code ]; the group's reference is its first.
my @work;
sub contender {
    my ($group, $name, $code) = @_;
    push @work, { group => $group, name => $name, code => $code };
    return;
}
sub there { my ($module) = @_; return eval "require $module; 1" }

my $old_structure = Predecessor->new($size);
my $old_scalar    = Predecessor->new($size);
my $new           = IPC::Mmap::Share->new($size);
my $new_scalar    = IPC::Mmap::Share->new($size);
$_->set($data)   for $old_structure, $new;
$_->set($scalar) for $old_scalar, $new_scalar;

contender(get => 'predecessor', sub { $old_structure->get });
contender(get => 'thaw alone', sub { thaw($frozen) });
contender(get => 'IPC::Mmap::Share, Seqshare: get', sub { $new->get });
contender(set => 'predecessor', sub { $old_structure->set($data) });
contender(set => 'freeze alone', sub { freeze($data) });
contender(set => 'IPC::Mmap::Share, Seqshare: set', sub { $new->set($data) });
for my $codec ([ Sereal => 'Sereal' ], [ JSON => 'JSON::XS' ], [ CBOR => 'CBOR::XS' ]) {
    there($codec->[1]) or next;
    my $share = Seqshare->new($size, codec => $codec->[0]);
    $share->set($data);
    contender(get => "Seqshare, $codec->[0]: get", sub { $share->get });
    contender(set => "Seqshare, $codec->[0]: set", sub { $share->set($data) });
}
contender(get => 'Seqshare: snapshot', sub { $new->snapshot });
contender(get => 'Seqshare: version', sub { $new->version });
contender(scalar => 'predecessor: get of a number', sub { $old_scalar->get });
contender(scalar => 'IPC::Mmap::Share, Seqshare: get of a number', sub { $new_scalar->get });
contender(scalar => 'Seqshare: snapshot of a number', sub { $new_scalar->snapshot });
contender('scalar set' => 'predecessor: set of a number', sub { $old_scalar->set($scalar) });
contender('scalar set' => 'IPC::Mmap::Share, Seqshare: set of a number', sub { $new_scalar->set($scalar) });

if (there('Cache::FastMmap')) {
    my $cache = Cache::FastMmap->new(serializer => 'storable', cache_size => '1m');
    $cache->set(config => $data);
    contender(get => 'Cache::FastMmap', sub { $cache->get('config') });
    contender(set => 'Cache::FastMmap', sub { $cache->set(config => $data) });
}
if (there('IPC::ShareLite')) {
    my $lite = IPC::ShareLite->new(-create => 1, -destroy => 1, -size => $size) or die "IPC::ShareLite: $!";
    $lite->store(freeze($data));
    contender(get => 'IPC::ShareLite and Storable', sub { thaw($lite->fetch) });
    contender(set => 'IPC::ShareLite and Storable', sub { $lite->store(freeze($data)) });
}
if (there('IPC::Shareable')) {
    # It ties; so that it does the same work, the structure goes in and out as one frozen value.
    tie my $tied, 'IPC::Shareable', { key => "seqshare$$", create => 1, destroy => 1, size => $size };
    $tied = $frozen;
    contender(get => 'IPC::Shareable and Storable', sub { thaw($tied) });
    contender(set => 'IPC::Shareable and Storable', sub { $tied = freeze($data) });
}

# ---- measure
sub cpu { return clock_gettime(CLOCK_PROCESS_CPUTIME_ID) }

# Microseconds a call, without those of calling an empty sub.
sub measure {
    my ($code, $times) = @_;
    my $from = cpu();
    $code->() for 1 .. $times;
    return (cpu() - $from) / $times * 1e6;
}

my $empty = sub { };
for my $work (@work) {
    my $once = measure($work->{code}, 50);
    $work->{times} = int($slice * 1e6 / $once) + 1;
}
my @calling;
for my $round (1 .. $rounds) {
    push @calling, measure($empty, 5000);
    push @{ $_->{us} }, measure($_->{code}, $_->{times}) for @work;
}
sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[ @sorted / 2 ] }
my $calling = (sort { $a <=> $b } @calling)[0];

printf "%d bytes frozen, in a share of %d; perl %vd, Storable %s; %d rounds\n\n", length $frozen, $size, $^V,
    Storable->VERSION, $rounds;
printf "%-45s %9s   %s\n", '', 'us', 'predecessor / this, same round';
for my $group ('get', 'scalar', 'set', 'scalar set') {
    my @of = grep { $_->{group} eq $group } @work;
    print "$group\n";
    for my $work (@of) {
        my $best  = (sort { $a <=> $b } @{ $work->{us} })[0] - $calling;
        my $ratio = median(map { ($of[0]{us}[$_] - $calling) / ($work->{us}[$_] - $calling) } 0 .. $#calling);
        printf "  %-43s %9.3f   %6.2f\n", $work->{name}, $best, $ratio;
    }
}

$_->remove for $old_structure, $old_scalar;

# Two figures that are not about the predecessor
my %work  = map { ("$_->{group} $_->{name}" => $_) } @work;
my $ratio = sub {
    my ($this, $that) = map { $work{$_}{us} } @_;
    return median(map { $this->[$_] / $that->[$_] } 0 .. $rounds - 1);
};
my ($set, $freeze) = @work{ 'set IPC::Mmap::Share, Seqshare: set', 'set freeze alone' };
printf "\nget / thaw alone: %.3f\n", $ratio->('get IPC::Mmap::Share, Seqshare: get', 'get thaw alone');
printf "set - freeze alone: %.2f us\n", median(map { $set->{us}[$_] - $freeze->{us}[$_] } 0 .. $rounds - 1);

# What the others leave behind in the system goes with their last reference, but not at the program's end.
@work = %work = ();
IPC::Shareable->clean_up_all if IPC::Shareable->can('clean_up_all');
