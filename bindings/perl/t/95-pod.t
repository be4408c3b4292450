# SPDX-License-Identifier: MIT
# The documentation: well formed, complete, and its synopses run.
# Shows: no promise of the library, but that the documentation is true.
use strict;
use warnings;
use Pod::Checker;
use Test::More;
use Seqshare;
use IPC::Mmap::Share;

my @files = qw(lib/Seqshare.pm lib/IPC/Mmap/Share.pm lib/Seqshare/Migration.pod lib/Seqshare/Recipes.pod);
my %text;
for my $file (@files) {
    open my $in, '<:encoding(UTF-8)', $file or die "$file: $!";
    $text{$file} = do { local $/; <$in> };
    my $checker = Pod::Checker->new(-warnings => 2);
    open my $sink, '>', \my $said;
    $checker->parse_from_file($file, $sink);
    is($checker->num_errors + $checker->num_warnings, 0, "$file: Pod::Checker") or diag $said;
    my ($long) = grep { length > 110 } split /\n/, $text{$file};
    is($long, undef, "$file: lines are of a length to read");
}

# Each public name has a heading, each heading of a method a name.
for my $module ([ 'Seqshare', 'lib/Seqshare.pm' ], [ 'IPC::Mmap::Share', 'lib/IPC/Mmap/Share.pm' ]) {
    my ($package, $file) = @$module;
    no strict 'refs';
    my @names = grep { /\A[a-z]/ && !/\A(?:looks_like_number|bootstrap)\z/ && defined &{"${package}::$_"} }
        keys %{"${package}::"};
    my %heading = map { $_ => 1 } $text{$file} =~ /^=head2 (\w+)$/mg;
    is_deeply([ sort grep { !$heading{$_} } @names ], [], "$package: every method is described");
    is_deeply([ grep { !$package->can($_) } sort keys %heading ], [], "$package: and nothing that is none");

    my ($synopsis) = $text{$file} =~ /^=head1 SYNOPSIS\n(.*?)^=/ms;
    ok(eval "package Synopsis; use strict; use warnings; $synopsis; 1", "$package: the synopsis runs")
        or diag $@;
}

# Perl in the recipes compiles.
for my $block (grep { /^    use Seqshare/m } $text{'lib/Seqshare/Recipes.pod'} =~ /((?:^    .*\n|^\n)+)/mg) {
    $block =~ s/^.*(?:Apache2|starman).*\n//mg;
    ok(eval "no strict; no warnings; sub { $block }; 1", 'a recipe compiles') or diag $@;
}

done_testing;
