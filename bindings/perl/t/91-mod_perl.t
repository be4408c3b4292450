# SPDX-License-Identifier: MIT
# The recipe for mod_perl at work: Apache's workers inherit the share, give up writing, and see each change.
# Shows: READ-2, NAME-6.
use strict;
use warnings;
use lib 't/lib';
use Kit;
use Cwd qw(getcwd);
use File::Temp qw(tempdir);
use HTTP::Tiny ();
use Test::More;
use Seqshare;

local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
my ($modules) = grep { -e "$_/mod_perl.so" } '/usr/lib/apache2/modules', '/usr/lib64/httpd/modules';
if (!need('apache2') || !$modules) {
    die 'no mod_perl here' if $ENV{SEQSHARE_TEST_ALL};
    plan skip_all => 'no Apache with mod_perl';
}

my $name   = fresh_name();
my $config = Seqshare->create($name, 1 << 20);
$config->set({ version => 1, greeting => 'first' });

my $port = free_port();
my $root = tempdir(CLEANUP => 1);
chmod 0755, $root;
my $server = fork // die;
if (!$server) {
    %ENV = (
        %ENV,
        APP_CONFIG  => $name,
        APP_PORT    => $port,
        APP_ROOT    => $root,
        APP_STARTUP => getcwd() . '/eg/startup.pl',
        MODULES     => $modules,
        PERL5LIB    => join ':', @INC
    );
    setpgrp;    # Apache ends its whole process group
    exec 'apache2', '-f', getcwd() . '/eg/httpd.conf', '-D', 'FOREGROUND' or POSIX::_exit(1);
}
my $test = $$;
END {
    if ($server && $$ == $test) {
        local $?;    # the test's own status stands
        kill TERM => $server;
        waitpid $server, 0;
    }
}

sub answer {
    my $got = HTTP::Tiny->new(timeout => 20)->get("http://127.0.0.1:$port/");
    $got->{success} or return;
    $got->{content} =~ /\Apid ([0-9]+) version ([0-9]+) greeting (\S+) writable ([01])\z/ or return;
    return { pid => $1, version => $2, greeting => $3, writable => $4 };
}
ok(eval { wait_for { answer() } 'Apache' }, 'Apache answers') or diag `cat $root/error.log`;
my $first;
wait_for { $first = answer() } 'an answer';
is($first->{greeting}, 'first', 'with the value');
is($first->{writable}, 0,       'from a worker that only reads');

my ($wrong, %pids) = (0);
for my $version (2 .. 60) {
    $config->set({ version => $version, greeting => "g$version" });
    my $answer;
    wait_for { $answer = answer() } 'an answer';    # a request may be lost with the worker that was killed
    $wrong++ unless $answer->{version} == $version && $answer->{greeting} eq "g$version";
    $pids{ $answer->{pid} }++;
    kill KILL => $answer->{pid} if $version % 20 == 0;
}
is($wrong, 0, 'each of 59 changes is in the next answer, and workers are killed meanwhile');
cmp_ok(scalar(keys %pids), '>', 1, 'more than one worker answered');

done_testing;
