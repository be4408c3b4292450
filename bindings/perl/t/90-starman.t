# SPDX-License-Identifier: MIT
# The recipe for Starman at work: workers serve from snapshot under load while another process changes the
# configuration and workers are killed. No answer is torn, and none is older than a change that was
# visible before it was asked for.
# Shows: READ-1, READ-2.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use HTTP::Tiny;
use POSIX ();
use Test::More;
use Time::HiRes ();
use Seqshare;

need(qw(Plack::Runner starman)) or plan skip_all => 'no Starman';

my $name   = fresh_name();
my $config = Seqshare->create($name, 1 << 20);

sub publish {
    my ($n) = @_;
    return $config->set({ version => $n, greeting => "g$n", parts => [ ($n) x 200 ] });
}
publish(1);

my $port   = free_port();
my $url    = "http://127.0.0.1:$port/";
my $server = fork // die;
if (!$server) {
    $ENV{APP_CONFIG} = $name;
    $ENV{PERL5LIB}   = join ':', @INC;
    open STDOUT, '>', '/dev/null';
    open STDERR, '>', '/dev/null' unless $ENV{TEST_VERBOSE};
    my @options = ('--preload-app', '--workers', 8, '--listen', "127.0.0.1:$port");
    exec $^X, '-S', 'starman', @options, 'eg/config.psgi' or POSIX::_exit(1);
}
my @clients;
my $test = $$;
END {
    if ($server && $$ == $test) {
        kill KILL => @clients;
        kill QUIT => $server;
        local $?;    # the test's own status stands
        waitpid $server, 0;
    }
}
wait_for { HTTP::Tiny->new(timeout => 2)->get($url)->{success} } 'Starman';

# pid and version of an answer; nothing if it is not whole
sub parse {
    my ($body) = @_;
    my ($pid, $version, $rest) = $body =~ /\Apid ([0-9]+)\nversion ([0-9]+)\n(.*)\z/s or return;
    return ($pid, $version) if $rest eq join "\n", "greeting g$version", ("part $version") x 200;
    return;
}
is((parse(HTTP::Tiny->new->get($url)->{content}))[1], 1, 'the first answer');

# ---- the load: clients that check each answer; and wrk, which does not look but asks more
my ($checks, $work) = (3, 5);
my $enough = Seqshare->new(100);
my $report = Seqshare->new(1 << 20);
$report->set({});
for (1 .. $checks) {
    push @clients, child {
        my $http = HTTP::Tiny->new(timeout => 20, keep_alive => 1);
        my %sum  = (answers => 0, torn => 0, stale => 0, failed => 0);
        my %pids;
        my $tell = sub { $report->update(sub { $_->{$$} = { %sum, pids => [ keys %pids ] }; $_ }) };
        until ($enough->version) {
            my $visible = $config->snapshot->{version};    # from now on, no answer may be older than this
            my $answer  = $http->get($url);
            if ($answer->{status} != 200) { $sum{failed}++; next }    # its worker was killed meanwhile
            my ($pid, $version) = parse($answer->{content});
            $sum{answers}++;
            if    (!$pid)               { $sum{torn}++ }
            elsif ($version < $visible) { $sum{stale}++ }
            else                        { $tell->() unless $pids{$pid}++ }
        }
        $tell->();
    };
}
my $wrk = need('wrk') ? open(my $load, '-|', 'wrk', '-t1', '-c2', "-d${work}s", $url) : 0;

# The workers that live now, as /proc knows them.
sub workers {
    my @workers;
    for my $file (glob '/proc/[0-9]*/stat') {
        open my $stat, '<', $file or next;    # ended meanwhile
        my ($pid, $parent) = (<$stat> // '') =~ /\A([0-9]+) .*\) \S ([0-9]+) /s or next;
        push @workers, $pid if $parent == $server;
    }
    return @workers;
}

# ---- meanwhile: changes, and killed workers, for a while, and until one that is born then has answered
my ($n, $kill, $end) = (1, 0, time + $work);
my %first = map { $_ => 1 } workers();
sub later {
    my %pids = map { $_ => 1 } map { @{ $_->{pids} } } values %{ $report->get };
    return grep { !$first{$_} } keys %pids;
}
while (time < $end || (!later() && time < $end + 60)) {
    for (1 .. 20) {
        publish(++$n);
        Time::HiRes::sleep(0.005);
    }
    my @workers = workers() or next;
    $kill += kill KILL => $workers[ rand @workers ];
}
$enough->set(1);
is(scalar(grep { join_child($_) } splice @clients), $checks, 'the clients ended well');
my %sum;
for my $one (values %{ $report->get }) { $sum{$_} += $one->{$_} for qw(answers torn stale failed) }
cmp_ok($n, '>', 20, "the configuration was changed $n times");
cmp_ok($kill, '>', 0, "$kill workers were killed");
note "$sum{answers} answers were checked; $sum{failed} requests were lost with their worker";
cmp_ok(scalar(later()), '>', 0, later() . ' workers answered that were born under the load');
is($sum{torn},  0, 'none torn');
is($sum{stale}, 0, 'none stale');
SKIP: {
    $wrk or skip 'no wrk', 1;
    my $said = join '', <$load>;
    my ($requests) = $said =~ /([0-9]+) requests in/;
    cmp_ok($requests || 0, '>', 0, 'wrk: ' . ($requests || 0) . ' requests');
    note $said;
}

# A worker that is born after all this serves the newest value on its first answer.
publish(++$n);
my %before = map { $_ => 1 } workers();
kill KILL => keys %before;
my $first;
wait_for {
    my ($pid, $version) = parse(HTTP::Tiny->new(timeout => 5)->get($url)->{content} || '');
    $first = $version if $pid && !$before{$pid};
    $first;
} 'a new worker';
is($first, $n, 'a respawned worker serves the newest value on its first answer');

done_testing;
