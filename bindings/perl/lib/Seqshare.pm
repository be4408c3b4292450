# SPDX-License-Identifier: MIT
# Values shared between processes, from Perl: what is not in Seqshare.xs, and the manual.
package Seqshare;

use strict;
use warnings;
use Scalar::Util qw(looks_like_number);

our $VERSION = '0.101';

require XSLoader;
XSLoader::load(__PACKAGE__, $VERSION);

my %CODEC = (raw => 0, Storable => 1, Sereal => 2, JSON => 3, CBOR => 4);    # numbers as in share.h

# The needs of a codec, and how to get at it: the code that encodes and its invocant (undef: none), and what
# decodes.
my %NEEDS = (
    Sereal => 'Sereal::Encoder and Sereal::Decoder',
    JSON   => 'JSON::XS and the library libseqshare-json',
    CBOR   => 'CBOR::XS',
);
my %LOAD  = (
    Storable => sub {
        require Storable;
        return (\&Storable::freeze, undef, \&Storable::thaw, undef);
    },
    Sereal => sub {
        require Sereal::Encoder;
        require Sereal::Decoder;
        return (
            Sereal::Encoder->can('encode'), Sereal::Encoder->new,
            Sereal::Decoder->can('decode'), Sereal::Decoder->new
        );
    },
    JSON => sub {
        require JSON::XS;
        _load_json() or die "no libseqshare-json\n";
        my $json = JSON::XS->new->utf8->allow_nonref->max_depth(512);    # as deep as the grammar goes
        return (JSON::XS->can('encode'), $json, JSON::XS->can('decode'), $json);
    },
    CBOR => sub {
        require CBOR::XS;
        my $cbor = CBOR::XS->new;
        return (CBOR::XS->can('encode'), $cbor, CBOR::XS->can('decode'), $cbor);
    },
);

sub _load_codec {
    my ($name) = @_;
    local $@;
    my @calls = eval { $LOAD{$name}->() };
    @calls or _refuse("the codec $name needs $NEEDS{$name}, which cannot be loaded: install it");
    return @calls;
}

sub _codec {
    my ($method, $name) = @_;
    $name = 'Storable' unless defined $name;
    my ($known) = grep { lc $name eq lc $_ } keys %CODEC;
    defined $known or _refuse("$method: there is no codec '$name'; there are " . join ', ', sort keys %CODEC);
    _load_codec($known) unless $known eq 'raw';
    return $CODEC{$known};
}

sub _number {
    my ($method, $what, $number) = @_;
    defined $number or _refuse("$method: no $what given");
    looks_like_number($number) && $number > 0 && $number == int $number && $number <= ~0
        or _refuse("$method: the $what must be a whole number above 0, not '$number'");
    return $number;
}

sub _name {
    my ($method, $name) = @_;
    defined $name && length $name or _refuse("$method: no name given");
    ref $name || $name =~ /\0/ || !utf8::downgrade($name, 1)
        and _refuse("$method: the name must be a string of bytes without a zero");
    return $name;
}

# The options after the fixed arguments: pairs, of these keys only.
sub _options {
    my ($method, $given, @known) = @_;
    @$given % 2 and _refuse("$method: give options in pairs: a name and a value");
    my %option = @$given;
    for my $key (sort keys %option) {
        grep { $key eq $_ } @known
            or _refuse("$method: there is no option '$key'; there are " . join ', ', @known);
    }
    return \%option;
}

sub _class { ref $_[0] || $_[0] }

sub new {
    my ($class, $size, @rest) = @_;
    $size = _number('new', 'size', $size);
    my $option = _options('new', \@rest, qw(codec slots));
    my $slots  = defined $option->{slots} ? _number('new', 'number of slots', $option->{slots}) : 2;
    return _new(_class($class), $size, $slots, _codec('new', $option->{codec}));
}

sub _with_name {
    my ($method, $make, $class, $name, $size, @rest) = @_;
    $name = _name($method, $name);
    $size = _number($method, 'size', $size);
    my $mode = @rest % 2 || (@rest && looks_like_number($rest[0])) ? shift @rest : undef;
    $mode = 0600 unless defined $mode;
    looks_like_number($mode) && $mode >= 0 && $mode <= 0777
        or _refuse("$method: the mode must be permission bits such as 0640");
    my $option = _options($method, \@rest, 'codec');
    return $make->(_class($class), $name, $size, $mode, _codec($method, $option->{codec}));
}

sub create  { _with_name('create',  \&_create,  @_) }
sub replace { _with_name('replace', \&_replace, @_) }

sub open {
    my ($class, $name, @rest) = @_;
    $name = _name('open', $name);
    my $option = _options('open', \@rest, qw(codec read_only any_owner));
    return _open(_class($class), $name, !$option->{read_only}, !!$option->{any_owner},
        _codec('open', $option->{codec}));
}

sub attach {
    my ($class, $fd, @rest) = @_;
    my $option = _options('attach', \@rest, qw(codec read_only any_owner));
    my $number = ref $fd || ref \$fd eq 'GLOB' ? fileno $fd : $fd;
    defined $number && $number =~ /\A[0-9]{1,9}\z/ or _refuse('attach: give an open descriptor');
    return _attach(_class($class), $number, !$option->{read_only}, !!$option->{any_owner},
        _codec('attach', $option->{codec}));
}

sub fd {
    my ($self, @rest) = @_;
    return _fd($self, !_options('fd', \@rest, 'read_only')->{read_only});
}

sub unlink {
    my ($class, $name) = @_;
    _unlink(_name('unlink', $name));
    return;
}

sub lock {
    my ($self, $seconds) = @_;
    defined wantarray or _refuse('lock: keep the guard that it returns, or the lock is free again at once');
    my ($number, $recovered) = _lock($self, $seconds) or return undef;
    return bless [$self, $number, $recovered], 'Seqshare::Guard';
}

package Seqshare::Guard;

# [ the share, the number of the lock, was it taken from a dead owner ]

sub unlock    { my ($self) = @_; return $self->[0] && $self->[0]->_unlock($self->[1]) }
sub recovered { my ($self) = @_; return $self->[2] }
sub DESTROY   { my ($self) = @_; $self->[0]->_unlock($self->[1]) if $self->[0]; return }

1;

__END__

=encoding UTF-8

=head1 NAME

Seqshare - one value shared between processes, for readers that look at it on every request

=head1 SYNOPSIS

    use Seqshare;

    my $config = Seqshare->new(1 << 20);              # before fork: every worker inherits it
    $config->set({ limit => 100, routes => ['/a', '/b'] });    # any process, any time

    my $now = $config->snapshot;                      # on every request: decoded once per version, read-only
    my $own = $config->get;                           # a fresh structure, to change as you like

    $config->update(sub {                             # read, modify, write: nobody comes between
        my ($value) = @_;
        $value->{limit}++;
        return $value;
    });

=head1 DESCRIPTION

A share holds one value: a scalar, or a reference to any structure. All processes that have the share see
the newest value. Readers take no lock, write nothing to shared memory and wait for nobody, not even for a
writer that was killed in the middle: they have the last complete value. Writers wait for each other, and
take the lock over from a writer that died.

Values go through a I<codec> on their way into the share and out of it; L</CODECS> lists them. C<snapshot>
keeps what it has decoded, so that a worker pays for decoding once per version and not once per request.

If a method cannot do its work, it croaks with one sentence and the caller's line, and the old value stays.

=head1 MAKING AND OPENING SHARES

=head2 new

    my $share = Seqshare->new($size);
    my $share = Seqshare->new($size, codec => 'Sereal', slots => 4);

An anonymous share. Children inherit it; others get it by its descriptor (L</fd>). C<$size> is the most
that a value may take, in bytes as the codec writes it. It is an upper bound and costs nothing: the share
takes memory as values need it.

The options: C<codec>, see L</CODECS>; C<slots>, 2, 4 or 8, more of them for readers beside a writer that
never pauses.

=head2 create

    my $share = Seqshare->create($name, $size);
    my $share = Seqshare->create($name, $size, 0640, codec => 'JSON');

A named share, which must not exist yet. A name without a slash is a file in F</dev/shm>; one with a slash
is a path. The mode is 0600 unless given, whatever the umask.

=head2 replace

    my $share = Seqshare->replace($name, $size, $mode, %options);

As L</create>; but if the name exists, the new region takes its place in one step, with the value. Shares
that had the old one are L</retired>: L</snapshot> follows by itself. All other methods go on reading the
old region, and must L</reopen> to write.

=head2 open

    my $share = Seqshare->open($name);
    my $share = Seqshare->open($name, read_only => 1, codec => 'JSON');

A share by its name, for writing unless C<read_only>. With C<any_owner>, even one that belongs neither to
root nor to this user, in a folder where everybody may put files.

=head2 attach

    my $share = Seqshare->attach($fd, %options);

A share by a descriptor (a number or a handle) from L</fd>, which may be closed afterwards. Options as for
L</open>.

=head2 unlink

    Seqshare->unlink($name);

Removes a name. Processes that have the share keep it.

=head2 close

    $share->close;

Lets go of the share, as does dropping the last reference to it.

=head1 READING

=head2 snapshot

    my $value = $share->snapshot;

The value, decoded and kept by this process, and the very same structure at every call until the version
moves: a call costs one load from memory then, whatever the size of the value. C<undef> before the first
set.

It is deeply read-only, because the whole process shares it. Every change dies with C<Modification of a
read-only value attempted>: store, delete, clear, push, splice, assignment, C<local> on a key, and
autovivification. Reading is as ever: an absent key is C<undef> and does not exist; C<each>, C<keys>,
C<sort>, encoders and C<dclone> work, and a clone may be changed. Keep it as long as you like: it stays as
it is when a newer version comes.

If a value cannot be decoded, C<snapshot> tries it once and warns. The last good value stays until another
version comes. If this object has had no good value yet, each call croaks with the reason. (C<get> croaks
whenever the value cannot be decoded.)

A snapshot follows the share's name: to the region that L</replace> puts there, at once; to one that got
the name without a mark (it was removed by hand and made again, or moved, or mounted over), within a
second. The object itself is at the new region then, as after L</reopen>. While the name leads nowhere, or
to a region that has no good value yet, the last good value stays. If the name leads to one that this
process may not open, a warning says so once a minute. An object stays where it is while it holds the
lock. Each clone in a thread follows by itself.

What to know:

=over 4

=item *

Where perl would create a key, it dies: C<< $now->{absent}{key} >> (also in C<exists>), C<< for (@{
$now->{absent} }) >>, and C<map>, C<grep> or a slice among a sub's arguments when they name an absent key.
Write C<< $now->{absent} // {} >>, or take a copy: C<< my %copy = %$now >>.

=item *

C<each> has one iterator for each hash, and here all code of the process shares the hash. Leave such loops
by their end only, or use C<keys>.

=item *

Tied hashes, arrays and scalars are untied in a snapshot: they are plain ones with what they showed, and
their keys come in no order. C<get> gives the tied ones.

=item *

Objects are read-only too, so one that caches things in itself cannot. Things that a class hands out from
a stock of its own while it decodes (singletons, JSON's C<true>) stay as they are. C<bless> of a structure
and C<local> on an element of an array are not stopped.

=item *

JSON::XS does not sort the keys of a snapshot with C<canonical>; it leaves hashes with magic as they come.
JSON::PP sorts them.

=item *

A cycle keeps itself alive, here as everywhere in Perl: weaken it before you set it.

=back

=head2 get

    my $value = $share->get;

A fresh copy, the caller's own. C<undef> before the first set (and if undef was set: L</version> tells).

=head2 version

    my $number = $share->version;

1 for the first value, one more for each, 0 while there is none. One load: ask on every request, and read
when it moved.

=head2 wait

    $share->wait($seconds) or next;

Sleeps until the version differs from the one that this object last read or wrote: true; or until it timed
out: false. Without a time, it waits for as long as it takes. Perl's signal handlers run meanwhile. If the
name moves to another region, it follows as L</snapshot> does, and any value there is news; but it croaks
while this object holds the lock.

=head1 WRITING

=head2 set

    my $version = $share->set($value);

Publishes a value. Waits for the lock while a process that lives has it.

=head2 set_if

    my $version = $share->set_if($expected, $value);

Publishes only if C<$expected> is the current version (0: nothing has been published); otherwise C<undef>.

=head2 update

    $share->update(sub {
        my ($value) = @_;    # also in $_; undef before the first set
        ...
        return $value;
    });

Takes the lock, calls the sub with a fresh copy of the value, and publishes what the sub I<returns>: mind
that a last line such as C<< $_->{count}++ >> returns a number. A sub that returns nothing (C<return;>)
leaves the old value. However the sub ends (return, exception, C<exit>), C<update> gives the lock back.
Returns the current version.

=head2 lock

    my $guard = $share->lock;
    my $guard = $share->lock($seconds) or die "busy";

Takes the lock until the guard goes out of scope, or until C<< $guard->unlock >>. With a time, it returns
C<undef> if it timed out; C<lock(0)> does not wait. C<< $guard->recovered >> is true if it took the lock
over from an owner that died. Reading and writing through the share work under the lock; others read, and
wait to write. A child does not own its parent's lock.

=head2 is_locked

True if this object holds the lock in this process.

=head2 drop_write

    $share->drop_write;

This process only reads from now on, for good: a worker, after fork.

=head1 LOOKING AND PASSING ON

=head2 fd

    my $number = $share->fd;
    my $number = $share->fd(read_only => 1);

A new descriptor of the region, close-on-exec, the caller's to close (C<POSIX::close>).

=head2 retired

True when the name has gone to another region, or was removed.

=head2 reopen

    $share->reopen if $share->retired;

Moves to the region that the name has now: true if it moved. Clones in other threads stay where they are.

=head2 prefault

Maps the current value now, so that the first read meets no page fault.

=head2 capacity

The size that a value may have.

=head2 stat

    my $stat = $share->stat;

A hash: C<version>, C<length>, C<capacity>, C<allocated> (bytes of memory taken), C<created> and
C<published> (seconds since 1970, with a fraction; C<published> is undef if nothing was), C<retries>
(reads that were outrun and repeated), C<codec> (that wrote the value; C<scalar> for plain ones; undef for
another program's type) and C<tag>, C<slots>, C<writer> (the process that wrote), C<owner> (of the lock;
0: nobody) and C<owner_alive>, C<retired>, C<replaced>, C<unlinked>, C<writable>, C<region_id>.

=head1 CODECS

    codec      takes                                      needs
    Storable   everything but code and globs              -
    Sereal     the same, about half the time              Sereal::Encoder, Sereal::Decoder
    JSON       JSON's types; everybody reads it           JSON::XS, libseqshare-json
    CBOR       the same and binary; code becomes undef    CBOR::XS
    raw        a string of bytes                          -

Storable is the default. Plain scalars go by the codecs of Perl's own, Storable and Sereal, and cost a
tenth of a microsecond. A value carries the mark of its codec: a share that is opened with another codec
croaks and says so. JSON, CBOR and raw also read bytes without a mark, which other languages and the
command line write; raw reads JSON too.

The codec JSON publishes and decodes only documents that the library's grammar accepts
(F<docs/json.md>): no infinity and no NaN, no half of a surrogate pair, no zero character in a key, and at
most 512 brackets open at a time. It writes the mark that all languages share, which the releases before
0.101 of this module cannot read; it reads theirs. JSON::XS makes a string of an integer that 64 bits cannot
hold.

Storable and Sereal restore objects, and so run code of their classes: as with every use of them,
take values only from processes that you trust. The mode of the share decides who may write it.

=head1 FORK AND THREADS

Objects work in parent and child alike, and in threads: a new thread gets clones, which share the region
and exclude each other by the lock. After fork, the program need do nothing. A process that exits, or is
killed, takes nothing along.

=head1 BENCHMARKS

F<benchmark/compare.pl> prints this table. One process, a structure of 20 keys with nested lists (1.5 kB
frozen), microseconds of processor time a call; the last column says how many times faster than the
predecessor's way in the same round (a semaphore and Storable, by a stand-in: the module does not work
with its present dependency).

    get of the structure
      the predecessor's way                 26.8       1.0
      Storable's thaw alone                 10.1       2.5
      get                                   11.0       2.4
      get, Sereal                            7.0       4.0
      get, JSON                              8.5       3.2
      get, CBOR                              7.1       3.8
      snapshot                               0.06    439
      Cache::FastMmap                       16.0       1.7
      IPC::ShareLite and Storable           13.4       2.0
      IPC::Shareable and Storable           29.5       0.9
    get of a number
      the predecessor's way                 16.2       1.0
      get                                    0.10    164
      snapshot                               0.04    394
    set of the structure
      the predecessor's way                 23.6       1.0
      Storable's freeze alone                6.4       3.8
      set                                    6.7       3.5
      set, Sereal                            2.9       8.3
      set, JSON                              4.3       5.5
      set, CBOR                              2.7       8.8
      Cache::FastMmap                       12.3       1.9
      IPC::ShareLite and Storable            8.3       2.9
      IPC::Shareable and Storable           43.5       0.5
    set of a number
      the predecessor's way                 17.4       1.0
      set                                    0.13    135

The predecessor's figures depend on what system calls cost: this was measured on a virtual machine where
they are dear. What does not: C<get> took 1.05 times what C<thaw> takes alone, and C<set> 0.5 microseconds
more than C<freeze>. Perl 5.36, gcc 12, 2 shared cores.

=head1 SEE ALSO

L<Seqshare::Migration>, from L<IPC::Mmap::Share> and others; L<Seqshare::Recipes>, for Starman and mod_perl.

=head1 LICENSE

MIT, as the library.

=cut
