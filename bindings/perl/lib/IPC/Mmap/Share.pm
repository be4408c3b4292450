# SPDX-License-Identifier: MIT
# The interface of the module of that name, which Seqshare takes the place of.
package IPC::Mmap::Share;

use strict;
use warnings;
use Seqshare;

our @ISA     = ('Seqshare');
our $VERSION = '0.101';

# set, get, lock, unlock, is_locked and DESTROY are in Seqshare.xs.

sub new {
    my ($class, $size) = @_;
    return Seqshare::new($class, $size);
}

sub get_size { $_[0]->capacity }

1;

__END__

=encoding UTF-8

=head1 NAME

IPC::Mmap::Share - share structures among processes using anonymous mmap

=head1 SYNOPSIS

    use IPC::Mmap::Share;

    # create an area of 10000 bytes
    my $share = IPC::Mmap::Share->new(10000);

    # the program possibly forks later

    # store $data (a scalar, or a reference to any structure)
    my $data = { greeting => 'hello' };
    $share->set($data);

    # get the data
    my $copy = $share->get;

=head1 DESCRIPTION

The successor of IPC::Mmap::Share 0.03, with the same names, on the library seqshare. A process that
inherits the object reads what any other has stored. Readers take no lock and wait for nobody; a process
that is killed harms none of the others. L<Seqshare::Migration> lists what is better, and what is different.

The object also has the methods of L<Seqshare>, of which it is a subclass; C<snapshot> is the one to know.

If a method fails, it croaks with one sentence, and the old value stays.

=head1 METHODS

=head2 new

    my $share = IPC::Mmap::Share->new($size);

An area for values of at most C<$size> bytes, as Storable freezes them. That is an upper bound: the share
takes memory as values need it.

=head2 set

    $share->set($value);

Stores a scalar or a reference to any structure but code. Further arguments are ignored: store a list by
its reference. Croaks with the size that is needed if the value does not fit.

=head2 get

    my $value = $share->get;

A fresh copy of the value that was stored last. Croaks if there is none.

=head2 lock

    $share->lock;
    my $value = $share->get;
    $share->set(changed($value));
    $share->unlock;

Others wait to C<set> and C<lock> in between; they C<get> as before. The lock of a process that ends is
free. Taking it twice croaks.

=head2 unlock

Gives the lock back. Croaks if this process does not have it.

=head2 is_locked

True if this process holds the lock, by this object.

=head2 get_size

The size given to L</new>.

=head1 LICENSE

MIT, as the library.

=cut
