/* SPDX-License-Identifier: MIT */
/*
 * The region, field by field, from a private copy: nothing here follows what the region says. Knows the
 * layout (docs/format.md), because it must explain regions that the library refuses to open.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "facts.h"
#include "target.h"
#include "words.h"

/* The lock's words, as docs/format.md has them. */
#define OWNER_TID     UINT32_C(0x3fffffff)
#define OWNER_WRITING UINT32_C(0x40000000)
#define OWNER_WAITERS UINT32_C(0x80000000)
#define STATE_BUSY    UINT32_C(0x40000000)
#define STATE_HELD    UINT32_C(0x80000000)

/* ---- the header ---------------------------------------------------------------------------------------- */

static bool check_magic(struct check *check)
{
    const struct header *header = &check->layout.header;

    if (check->got < (long)sizeof *header) {
        report(check, WRONG, "magic", "the file is too short for a header: not a share, or truncated");
        return false;
    }
    if (memcmp(header->magic, LAYOUT_MAGIC, sizeof header->magic) != 0) {
        report(check, WRONG, "magic", "the file does not begin with \"%s\": not a share", LAYOUT_MAGIC);
        return false;
    }
    report(check, FINE, "magic", "%s", LAYOUT_MAGIC);
    if (header->byte_order != LAYOUT_BYTE_ORDER) {
        report(check, WRONG, "byte order", "%08x, not %08x: from another kind of processor, or overwritten",
               header->byte_order, LAYOUT_BYTE_ORDER);
        return false;
    }
    report(check, FINE, "byte order", "this machine's");
    return true;
}

static bool check_version(struct check *check)
{
    const struct header *header = &check->layout.header;

    if (header->layout < 1 || header->readable_by < 1 || header->readable_by > header->layout) {
        report(check, WRONG, "layout", "version %u, readable from version %u on: this cannot be",
               header->layout, header->readable_by);
        return false;
    }
    if (header->readable_by > LAYOUT_VERSION) {
        report(check, WRONG, "layout", "version %u, for readers of version %u or later; this one reads %d",
               header->layout, header->readable_by, LAYOUT_VERSION);
        advise("use a newer seqshare");
        return false;
    }
    if (header->layout > LAYOUT_VERSION)
        report(check, NOTE, "layout", "version %u: this version (%d) may read it, but not write it",
               header->layout, LAYOUT_VERSION);
    else
        report(check, FINE, "layout", "version %u", header->layout);
    return true;
}

static void check_size(struct check *check)
{
    const struct header *header = &check->layout.header;
    uint64_t bytes;

    if (__builtin_mul_overflow(header->stride, header->slots, &bytes) ||
        __builtin_add_overflow(bytes, header->header_size, &bytes)) {
        report(check, WRONG, "size", "header and slots together are longer than a file can be");
    } else if (bytes > (uint64_t)check->status.st_size) {
        report(check, WRONG, "size", "the file has %lld bytes, and should have %llu: it was truncated",
               (long long)check->status.st_size, (unsigned long long)bytes);
        advise("remove it (seqshare rm --force) and let its program make it again");
    } else {
        report(check, FINE, "size", "%llu bytes: header and slots", (unsigned long long)bytes);
    }
}

static void check_sizes(struct check *check)
{
    const struct header *header = &check->layout.header;
    char word[WORD_SIZE];

    if (header->header_size < LAYOUT_HEADER_SIZE || header->header_size > LAYOUT_HEADER_MAX ||
        header->header_size % LAYOUT_LINE != 0)
        report(check, WRONG, "header size", "%u: not a multiple of %d from %d to %d", header->header_size,
               LAYOUT_LINE, LAYOUT_HEADER_SIZE, LAYOUT_HEADER_MAX);
    else
        report(check, FINE, "header size", "%u", header->header_size);
    report(check, header->capacity ? FINE : WRONG, "capacity", "%llu (%s)",
           (unsigned long long)header->capacity, size_in_words(word, header->capacity));
    if (header->stride < header->capacity || header->stride % LAYOUT_LINE != 0)
        report(check, WRONG, "stride", "%llu: less than the capacity, or not a multiple of %d",
               (unsigned long long)header->stride, LAYOUT_LINE);
    else
        report(check, FINE, "stride", "%llu: bytes from the start of one slot to the next",
               (unsigned long long)header->stride);
    if (header->slots != 2 && header->slots != 4 && header->slots != SEQSHARE_SLOTS_MAX)
        report(check, WRONG, "slots", "%u: not 2, 4 or 8", header->slots);
    else
        report(check, FINE, "slots", "%u", header->slots);
    check_size(check);
}

static void check_birth(struct check *check)
{
    const struct header *header = &check->layout.header;
    char word[WORD_SIZE], id[2 * sizeof header->region_id + 1];

    report(check, (int64_t)header->created > now_since_1970() ? NOTE : FINE, "created", "%s%s",
           time_in_words(word, (int64_t)header->created),
           (int64_t)header->created > now_since_1970() ? ", in the future: a clock was changed" : "");
    for (size_t i = 0; i < sizeof header->region_id; i++)
        snprintf(id + 2 * i, 3, "%02x", header->region_id[i]);
    report(check, FINE, "region", "%s", id);
    if (header->reserved != 0 || header->reserved2 != 0)
        report(check, NOTE, "reserved", "not 0: a later version uses it, or it was overwritten");
}

/* ---- its world ----------------------------------------------------------------------------------------- */

static void advise_replacing(const struct check *check)
{
    char *name = shell_word(check->name);

    if (!is_descriptor(check->name))
        advise("give the name a new region with the same value: seqshare replace %s", name);
    free(name);
}

static void advise_nsenter(const struct check *check)
{
    int process = process_in(check->layout.header.pid_namespace);
    char *name = shell_word(check->name);

    if (process)
        advise("or write from inside: nsenter --target %d --pid --time seqshare set %s ...", process, name);
    free(name);
}

/* The library has read /proc, as it does before each write, and says whether it could write here. */
static void check_world(struct check *check)
{
    const char *why = foreign_in_words(check->share.foreign);

    switch (check->opens ? check->share.foreign : 0) {
    case 0:
        if (check->opens)
            report(check, FINE, "namespaces", "those of this process, and of this boot");
        return;
    case SEQSHARE_FOREIGN_BOOT:
        report(check, WRONG, "boot", "%s: it can be read, but not written", why);
        break;
    case SEQSHARE_FOREIGN_UNKNOWN:
        report(check, NOTE, "boot", "not known: %s; it can be read, but not written", why);
        break;
    default:
        report(check, NOTE, "namespaces", "%s: from here it can be read, but not written", why);
        break;
    }
    advise_replacing(check);
    if (check->share.foreign != SEQSHARE_FOREIGN_BOOT)
        advise_nsenter(check);
}

/* ---- the head ------------------------------------------------------------------------------------------ */

static void check_sequence(struct check *check)
{
    uint64_t sequence = check->layout.head.sequence, version = seqshare_version_of(sequence);

    if (version > SEQSHARE_VERSION_MAX)
        report(check, WRONG, "sequence", "%llu: no version can be so high", (unsigned long long)sequence);
    else if (sequence & 1)
        report(check, NOTE, "sequence",
               "the version is %llu; a write has begun, and is under way or was given up",
               (unsigned long long)version);
    else if (version == 0)
        report(check, FINE, "sequence", "nothing has been published yet");
    else
        report(check, FINE, "sequence", "the version is %llu", (unsigned long long)version);
}

/* What has the name is the region that lost it: so its file has been mounted, or has a second name. */
static void report_replaced(struct check *check)
{
    bool named = !is_descriptor(check->name);

    report(check, named ? WRONG : NOTE, "retired",
           "replaced: the name leads to another region, and nobody publishes in this one");
    if (named)
        advise("but this name still leads here: mount or use the folder of the name that was replaced");
}

static void check_marks(struct check *check)
{
    uint32_t marks = check->layout.head.retired;
    const uint32_t look = SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE;

    if (marks & ~(SEQSHARE_REPLACED | SEQSHARE_UNLINKED | look))
        report(check, WRONG, "retired", "%08x: there is no such mark", marks);
    else if (marks & SEQSHARE_REPLACED)
        report_replaced(check);
    else if (marks & SEQSHARE_UNLINKED)
        report(check, NOTE, "retired", "unlinked: the name was removed; programs that have it open go on");
    else if (marks & look)
        report(check, NOTE, "retired", "no; a process is moving the name, or was killed before it did");
    else
        report(check, FINE, "retired", "no");
}

/* How many bytes of a slot the file has memory for. A file system that does not tell says: all. */
static uint64_t held(const struct check *check, unsigned slot)
{
    const struct header *header = &check->layout.header;
    const uint64_t start = header->header_size + slot * header->stride;
    off_t hole = lseek(check->fd, (off_t)start, SEEK_HOLE);

    if (hole < 0)
        return errno == ENXIO ? 0 : header->capacity;
    return hole < (off_t)start ? 0 : (uint64_t)hole - start;
}

static void check_slot(struct check *check, unsigned slot, bool current)
{
    const struct seqshare_slot *words = &check->layout.head.slot[slot];
    const struct slot_note *note = &check->layout.note[slot];
    char subject[WORD_SIZE], tag[WORD_SIZE] = "untyped", when[WORD_SIZE];

    snprintf(subject, sizeof subject, "slot %u", slot);
    if (words->tag)
        snprintf(tag, sizeof tag, "type tag %08x", words->tag);
    if (words->length > check->layout.header.capacity)
        report(check, WRONG, subject, "%llu bytes, more than the capacity",
               (unsigned long long)words->length);
    else if (current && words->length > held(check, slot))
        report(check, WRONG, subject, "%llu bytes, but the file holds only %llu of them",
               (unsigned long long)words->length, (unsigned long long)held(check, slot));
    else if (note->published == 0)
        report(check, FINE, subject, "not used yet");
    else
        report(check, FINE, subject, "%s: %llu bytes, %s, published by process %u at %s",
               current ? "the value" : "an older or the next value", (unsigned long long)words->length, tag,
               note->writer, time_in_words(when, (int64_t)note->published));
    if (words->reserved != 0 || note->reserved != 0)
        report(check, NOTE, subject, "reserved words are not 0");
}

static void check_head(struct check *check)
{
    uint32_t slots = check->layout.header.slots;
    uint64_t version = seqshare_version_of(check->layout.head.sequence);

    check_sequence(check);
    check_marks(check);
    for (unsigned slot = 0; slot < slots && slot < SEQSHARE_SLOTS_MAX; slot++)
        check_slot(check, slot, version > 0 && slot == (version & (slots - 1)));
}

/* ---- the lock ------------------------------------------------------------------------------------------ */

static const char *activity(uint64_t owner, uint64_t state)
{
    uint32_t doing = (uint32_t)state & (STATE_BUSY | STATE_HELD);

    if (owner & OWNER_WRITING)
        return "in a set or fill";
    if (((owner ^ state) & ~(uint64_t)(OWNER_WAITERS | STATE_BUSY | STATE_HELD)) != 0)
        return "in lock or unlock";
    return doing == STATE_BUSY                  ? "in a set or fill" /* by an earlier library */
           : doing == STATE_HELD                ? "by lock"
           : doing == (STATE_BUSY | STATE_HELD) ? "by lock, in a set or fill"
                                                : "in lock or unlock";
}

static void check_lock(struct check *check)
{
    uint64_t owner = check->layout.lock.owner;
    int tid = (int)(owner & OWNER_TID);
    const char *doing = activity(owner, check->layout.lock.state);
    bool foreign = check->opens && check->share.foreign;
    char word[WORD_SIZE], *program = printable(program_of(tid, word));

    if (owner == 0)
        report(check, FINE, "lock", "free");
    else if (tid == 0)
        report(check, NOTE, "lock", "%016llx names no owner: the next writer takes it over",
               (unsigned long long)owner);
    else if (foreign || !check->opens)
        report(check, NOTE, "lock", "owned by thread %d, %s; nobody can tell%s whether it lives", tid, doing,
               foreign ? " from another namespace or boot" : "");
    else if (check->share.owner == tid && !check->share.owner_alive)
        report(check, NOTE, "lock", "owned by thread %d, %s, which has died: the next writer takes it over",
               tid, doing);
    else
        report(check, FINE, "lock", "owned by thread %d (%s), %s", tid, program, doing);
    free(program);
    if (owner & OWNER_WAITERS)
        report(check, FINE, "waiting", "a process may be waiting for the lock");
    report(check, FINE, "wake-up", "%s",
           check->layout.wake & 1 ? "a process may be waiting for a new version"
                                  : "no process with write access waits for a new version");
}

void check_region(struct check *check)
{
    if (!check_magic(check) || !check_version(check))
        return;
    check_sizes(check);
    check_birth(check);
    check_world(check);
    if (check->got < (long)sizeof check->layout) {
        report(check, WRONG, "head", "the file ends before it: truncated");
        return;
    }
    check_head(check);
    check_lock(check);
}
