# SPDX-License-Identifier: MIT
package Kit;

# The common parts of the tests. SEQSHARE_TEST_ALL=1: a missing module is a failure and not a reason
# to skip.

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::INET;
use POSIX ();
use Test::More;
use Time::HiRes ();

our @EXPORT = qw(child join_child child_says wait_for need codecs fresh_name free_port refused config);

# A process that runs the code and ends with what it returns (true: status 0), without this program's END
# blocks.
sub child(&) {
    my ($code) = @_;
    my $pid = fork;
    defined $pid or die "fork: $!";
    return $pid if $pid;
    my $good = eval { $code->() };
    warn $@ if $@;
    POSIX::_exit($good ? 0 : 1);
}

sub join_child {
    my ($pid) = @_;
    waitpid $pid, 0;
    return $? == 0;
}

sub child_says(&) { my ($code) = @_; return join_child(&child($code)) }

# Until the condition holds; a watchdog and no measure of time.
sub wait_for(&$) {
    my ($condition, $what) = @_;
    my $end = time + 60;
    until ($condition->()) {
        die "waited a minute for $what" if time > $end;
        Time::HiRes::sleep(0.01);
    }
    return 1;
}

# Modules (with ::) or programs; true if all are there.
sub need {
    my @missing;
    for my $thing (@_) {
        my $there = $thing =~ /::/ ? eval "require $thing; 1" : grep { -x "$_/$thing" } split /:/, $ENV{PATH};
        push @missing, $thing unless $there;
    }
    return 1 unless @missing;
    die "missing here: @missing" if $ENV{SEQSHARE_TEST_ALL};
    note "missing here: @missing";
    return 0;
}

# The codecs that are installed, but for raw.
sub codecs {
    my %needs = (Sereal => [qw(Sereal::Encoder Sereal::Decoder)], JSON => ['JSON::XS'], CBOR => ['CBOR::XS']);
    return grep { need(@{ $needs{$_} || [] }) } qw(Storable Sereal JSON CBOR);
}

my $names = 0;
my %mine;

# A name in the shared memory file system that no other process uses; removed at the end.
sub fresh_name {
    my $name = "perl-test-$$-" . $names++;
    $mine{$name} = $$;
    return $name;
}

# A port of 127.0.0.1 below those that the kernel gives to whoever wants any: nobody gets it before the server.
sub free_port {
    while (1) {
        my $port = 15_000 + int rand 17_000;
        return $port if IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => $port);
    }
}

END {
    for my $name (grep { $mine{$_} == $$ } keys %mine) {
        unlink "/dev/shm/seqshare.$name";
    }
}

# The code croaks with one sentence of which $pattern is a part, and blames its own line, not the module's.
sub refused(&$$) {
    my ($code, $pattern, $name) = @_;
    my (undef, $file, $line) = caller;
    local $@;
    my $lived = eval { $code->(); 1 };
    my $error = $@;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return fail("$name: it was accepted") if $lived;
    my ($sentence, $where, $at) = $error =~ /\A([^\n]+) at (\S+) line ([0-9]+)\.\n\z/;
    return ok(defined $sentence && $sentence =~ $pattern && $where eq $file && abs($at - $line) <= 3, $name)
        || diag("it said: $error (called from $file line $line)");
}

# A structure of 20 keys with nested lists, as a service's configuration is.
sub config {
    my ($number) = @_;
    my %config = (version => $number);
    for my $i (1 .. 19) {
        $config{"service_$i"}
            = $i % 3 == 0 ? [ map { $_ * $number } 1 .. 8 ]
            : $i % 3 == 1 ? { host => "host$i.example.net", port => 8000 + $i, weights => [ 1.5, $number ] }
            :               "a value of service $i, written in version $number";
    }
    return \%config;
}

1;
