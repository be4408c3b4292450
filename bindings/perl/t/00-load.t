# SPDX-License-Identifier: MIT
# Shows: no promise of the library, but that both modules load.
use strict;
use warnings;
use Test::More;

use_ok('Seqshare');
use_ok('IPC::Mmap::Share', 0.03);    # who asked for the predecessor's version gets this one
is(IPC::Mmap::Share->VERSION, Seqshare->VERSION, 'one distribution, one version');
isa_ok('IPC::Mmap::Share', 'Seqshare');

open my $changes, '<', 'Changes' or die "Changes: $!";
like(join('', <$changes>), qr/^\Q$Seqshare::VERSION\E\b/m, 'Changes speaks of this version');
open my $meta, '<', 'META.json' or die "META.json: $!";
like(join('', <$meta>), qr/"version" : "\Q$Seqshare::VERSION\E"/, 'and META.json has it');

done_testing;
