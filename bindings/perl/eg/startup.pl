# SPDX-License-Identifier: MIT
# For mod_perl: run by the parent before it forks (PerlPostConfigRequire), see eg/httpd.conf.
package My::Config;

use strict;
use warnings;
use Apache2::RequestRec ();
use Apache2::RequestIO  ();
use Apache2::Const -compile => 'OK';
use Seqshare;

my $name = $ENV{APP_CONFIG} || 'app-config';
our $config = eval { Seqshare->create($name, 1 << 20) } || Seqshare->open($name);
$config->set_if(0, { version => 1, greeting => 'hello' });    # if it is new

# Workers inherit the share, writable if the parent may write: this gives that up.
sub may_only_read { $config->drop_write; return Apache2::Const::OK }

sub handler {
    my ($r) = @_;
    my $now = $config->snapshot;
    $r->content_type('text/plain');
    my $writable = $config->stat->{writable} ? 1 : 0;
    $r->print("pid $$ version $now->{version} greeting $now->{greeting} writable $writable");
    return Apache2::Const::OK;
}

1;
