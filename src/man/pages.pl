#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Makes the man pages of section 3, and seqshare(7), from the comments of the public headers.
#
#     pages.pl VERSION FOLDER HEADER...
#
# A page is one comment of a header and the functions declared right below it. Its first sentence is the page's
# summary; "Errors:" begins the list of errors; lines that are indented by four more blanks are shown as they are.
# A type belongs to the first function after it that mentions the type, or one of its constants. The opening comment
# of a header is a page of section 7: seqshare(7), seqshare_cache(7), and so on.
use strict;
use warnings;
use Errno;

my ($version, $folder, @headers) = @ARGV;
die "usage: pages.pl VERSION FOLDER HEADER...\n" unless @headers;

# The blocks of a header: a comment at the left margin, and the code below it, up to the next blank line.
sub blocks {
    my ($file) = @_;
    open my $in, '<', $file or die "$file: $!\n";
    my $text = do { local $/; <$in> };
    my @blocks;
    while ($text =~ m{^/\*(?! SPDX| ----)(.*?)\*/\n(.*?)(?=^\s*$|^/\*|\z)}msg) {
        my ($comment, $code) = ($1, $2);
        $comment =~ s/^ ?\* ?//mg;
        $comment =~ s/\A\s+|\s+\z//g;
        $code =~ s/^#(?!define).*\n//mg; # pragmas and guards say nothing to a reader
        push @blocks, {comment => $comment, code => $code};
    }
    return @blocks;
}

# The declarations of a block, as a program would write them: what is ours alone (SEQSHARE_API and the like) goes.
sub declarations {
    my $code = $_[0] =~ s/^static inline (?!__attribute__)([^;{]*?)\n\{.*\z/SEQSHARE_INLINE $1;/msr; # as in feed.h
    my @names;
    return ([], '') if $code =~ /^(?:static )?inline|^SEQSHARE_INLINE[^;]*\n\{/m;
    while ($code =~ /^(?:SEQSHARE_API|SEQSHARE_INLINE)\s[^;]*?\b(\w+)\(|^#define (SEQSHARE_\w+)\(/mg) {
        push @names, $1 // $2;
    }
    my $shown = $code =~ s/^(?:SEQSHARE_API|SEQSHARE_INLINE) //mgr;
    $shown =~ s/^#define (\w+\(.*?\)).*\z/$1/ms; # a macro's body is its own matter
    $shown =~ s/\s*__attribute__\(\(.*?\)\)(?=[;,\s])//g;
    return (\@names, $shown);
}

sub escape {
    my ($text) = @_;
    $text =~ s/\\/\\e/g;
    $text =~ s/(?<![A-Za-z0-9])-(?=[A-Za-z0-9])/\\-/g;
    $text =~ s/^([.'])/\\&$1/mg;
    return $text;
}

sub verbatim { return ".PP\n.nf\n.RS 4\n" . escape(shift) . "\n.RE\n.fi\n" }

sub prose { return escape(shift) =~ s/\b(seqshare_\w+)(?:\(\))?/\\fB$1\\fP/gr =~ s/\*(\w+)\*|`([^`]+)`/\\fI@{[$1 \/\/ $2]}\\fP/gr }

# Paragraphs, code and lists of a comment.
sub paragraphs {
    my ($text) = @_;
    my $page = '';
    for my $part (split /\n\s*\n/, $text) {
        if ($part =~ /^    /) {
            $page .= verbatim(join "\n", map { s/^    //r } split /\n/, $part);
            next;
        }
        my @items = split /^ *- /m, $part;
        my $first = shift @items;
        $page .= ".PP\n" . prose($first =~ s/\s+\z//r) . "\n" if $first =~ /\S/;
        $page .= ".IP \\(bu 2\n" . prose(s/^ +//mgr =~ s/\s+\z//r) . "\n" for @items;
    }
    return $page;
}

# The system's own sentence for an error of which the header says no more than the name.
sub system_sentence {
    local $! = Errno->can(substr($_[0], 1))->();
    return lc "$!";
}

sub errors {
    my ($text) = @_;
    my $page = ".SH ERRORS\n";
    my ($lead, @items) = split /(?:;|(?<!,)\n|\A|\.)\s*(?:and )?(?=-E[A-Z0-9]+\b)/, "\n$text";
    $page .= ".PP\n" . prose(ucfirst($lead =~ s/\A\n//r)) . "\n" if $lead && $lead =~ /\w/;
    for (@items) {
        my ($names, $what) = /\A((?:-E[A-Z0-9]+(?:,\s+(?:and )?)?)+)[:,]?\s*(.*)\z/s;
        $names = $names =~ s/[\s,]+\z//r =~ s/\s+/ /gr;
        $what = $what =~ s/^ +//mgr =~ s/[\s;.]+\z//r || join ', or ', map { system_sentence($_) } split /, /, $names;
        $page .= ".TP\n.B " . escape($names) . "\n" . prose($what) . "\n";
    }
    return $page;
}

sub write_page {
    my ($name, $section, $text) = @_;
    my $file = "$folder/$name.$section";
    open my $out, '>', $file or die "$file: $!\n";
    print $out $text and close $out or die "$file: $!\n";
}

sub title {
    my ($name, $section) = @_;
    return ".\\\" Made from the headers by pages.pl.\n.TH $name $section \"\" \"seqshare $version\" \"seqshare\"\n.nh\n.SH NAME\n";
}

sub summary {
    my ($text) = @_;
    my ($first) = $text =~ /\A(.*?)(?:[.:;](?:\s|\z)|(?<=\?)\s|\s\(|\n\n|\z)/s;
    $first =~ /\S/ or die "no summary in this comment: $text\n";
    return escape($first =~ s/\s+/ /gr) =~ s/\A([A-Z])(?![A-Z])/\l$1/r;
}

my @all;
for my $header (@headers) {
    my ($include) = $header =~ m{(seqshare/\w+\.h)$} or die "$header: not below a folder seqshare\n";
    my ($opening, @blocks) = blocks($header);
    my @types;
    my $page = $header eq $headers[0] ? 'seqshare' : 'seqshare_' . ($include =~ m{/(\w+)})[0];
    write_page($page, 7, title($page, 7) . "$page \\- " . summary($opening->{comment} =~ s/^seqshare: //r)
          . "\n.SH SYNOPSIS\n.B #include <$include>\n.SH DESCRIPTION\n" . paragraphs($opening->{comment} =~ s/^seqshare: (.)/\u$1/r)
          . ".SH SEE ALSO\n.BR seqshare (1),\n.BR seqshare (7),\n.BR seqshare_new (3)\n");
    for my $block (@blocks) {
        my ($names, $shown) = declarations($block->{code});
        next if $block->{comment} =~ /^Not for programs/;
        push @types, {%$block, shown => $shown} if !@$names && $shown =~ /^(?:typedef|struct|enum)\b/m && $block->{comment} !~ /\bPrivate|embers are private/;
        next unless @$names;
        my @mine = grep { my @words = $_->{shown} =~ s{/\*.*?\*/}{}gsr =~ /\b(SEQSHARE_[A-Z_]+|seqshare_\w+)\b/g;
            grep { "$block->{comment} $shown" =~ /\b$_\b/ } @words } @types;
        push @all, {%$block, names => $names, shown => $shown, include => $include, about => $page, types => \@mine};
        @types = grep { my $type = $_; !grep { $_ == $type } @mine } @types;
    }
}
my %known = map { $_ => 1 } map { @{$_->{names}} } @all;
for my $page (@all) {
    my ($first, @others) = @{$page->{names}};
    my ($what, $errors) = split /\bErrors[:,]\s*/, $page->{comment}, 2;
    my $text = title($first, 3) . join(', ', $first, @others) . ' \- ' . summary($what) . "\n.SH SYNOPSIS\n.B #include <$page->{include}>\n";
    $text .= verbatim($_->{shown} =~ s/\s+\z//r) for @{$page->{types}}, $page;
    $text .= ".SH DESCRIPTION\n" . paragraphs($what) . join '', map { paragraphs($_->{comment}) } @{$page->{types}};
    $text .= errors($errors) if $errors;
    my %see = map { $_ => 1 } grep { $known{$_} } $page->{comment} =~ /\b(seqshare_\w+)/g;
    delete @see{@{$page->{names}}};
    $text .= join(",\n", ".SH SEE ALSO\n.BR $page->{about} (7)", map { ".BR $_ (3)" } sort keys %see) . "\n";
    write_page($first, 3, $text);
    write_page($_, 3, ".so man3/$first.3\n") for @others;
}
