/* SPDX-License-Identifier: MIT */
/*
 * The region, field by field, from a private copy: nothing here trusts the region. It knows the
 * layout (docs/format.md), because it must explain regions that the library refuses to open.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#include "facts.h"
#include "namespace.h"
#include "now.h"
#include "report.h"
#include "target.h"
#include "text.h"
#include "words.h"

/* ---- the header ---------------------------------------------------------------------------------------- */

static bool check_magic(struct check *check)
{
    const struct header *header = &check->layout.header;

    if (check->got < (long)sizeof *header) {
        report_add(&check->report, WRONG, "magic",
                   "the file is too short for a header: not a share, or truncated");
        return false;
    }
    if (memcmp(header->magic, LAYOUT_MAGIC, sizeof header->magic) != 0) {
        report_add(&check->report, WRONG, "magic", "the file does not begin with \"%s\": not a share",
                   LAYOUT_MAGIC);
        return false;
    }
    report_add(&check->report, FINE, "magic", "%s", LAYOUT_MAGIC);
    if (header->byte_order != LAYOUT_BYTE_ORDER) {
        report_add(&check->report, WRONG, "byte order",
                   "%08x, not %08x: from another kind of processor, or overwritten", header->byte_order,
                   LAYOUT_BYTE_ORDER);
        return false;
    }
    report_add(&check->report, FINE, "byte order", "this machine's");
    return true;
}

static bool check_version(struct check *check)
{
    const struct header *header = &check->layout.header;

    if (header->layout < 1 || header->readable_by < 1 || header->readable_by > header->layout) {
        report_add(&check->report, WRONG, "layout", "version %u, readable from version %u on: this cannot be",
                   header->layout, header->readable_by);
        return false;
    }
    if (header->readable_by > LAYOUT_VERSION) {
        report_add(&check->report, WRONG, "layout",
                   "version %u, for readers of version %u or later; this one reads %d", header->layout,
                   header->readable_by, LAYOUT_VERSION);
        report_advise("use a newer seqshare");
        return false;
    }
    if (header->layout > LAYOUT_VERSION)
        report_add(&check->report, NOTE, "layout",
                   "version %u: this version (%d) may read it, but not write it", header->layout,
                   LAYOUT_VERSION);
    else
        report_add(&check->report, FINE, "layout",
                   "version %u; this is seqshare %d.%d.%d, which makes version %d", header->layout,
                   SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR, SEQSHARE_VERSION_PATCH, LAYOUT_VERSION);
    return true;
}

static void check_size(struct check *check)
{
    const struct header *header = &check->layout.header;
    uint64_t bytes;

    if (__builtin_mul_overflow(header->stride, header->slots, &bytes) ||
        __builtin_add_overflow(bytes, header->header_size, &bytes)) {
        report_add(&check->report, WRONG, "size", "header and slots together are longer than a file can be");
    } else if (bytes > (uint64_t)check->status.st_size) {
        report_add(&check->report, WRONG, "size",
                   "the file has %lld bytes, and should have %llu: it was truncated",
                   (long long)check->status.st_size, (unsigned long long)bytes);
        report_advise("remove it (seqshare rm --force) and let its program make it again");
    } else {
        report_add(&check->report, FINE, "size", "%llu bytes: header and slots", (unsigned long long)bytes);
    }
}

static void check_sizes(struct check *check)
{
    const struct header *header = &check->layout.header;
    char word[WORD_SIZE];

    if (header->header_size < LAYOUT_HEADER_SIZE || header->header_size > LAYOUT_HEADER_MAX ||
        header->header_size % LAYOUT_LINE != 0)
        report_add(&check->report, WRONG, "header size", "%u: not a multiple of %d from %d to %d",
                   header->header_size, LAYOUT_LINE, LAYOUT_HEADER_SIZE, LAYOUT_HEADER_MAX);
    else
        report_add(&check->report, FINE, "header size", "%u", header->header_size);
    report_add(&check->report, header->capacity ? FINE : WRONG, "capacity", "%llu (%s)",
               (unsigned long long)header->capacity, words_size(word, header->capacity));
    if (header->stride < header->capacity || header->stride % LAYOUT_LINE != 0)
        report_add(&check->report, WRONG, "stride", "%llu: less than the capacity, or not a multiple of %d",
                   (unsigned long long)header->stride, LAYOUT_LINE);
    else
        report_add(&check->report, FINE, "stride", "%llu: bytes from the start of one slot to the next",
                   (unsigned long long)header->stride);
    if (header->slots != 2 && header->slots != 4 && header->slots != SEQSHARE_SLOTS_MAX)
        report_add(&check->report, WRONG, "slots", "%u: not 2, 4 or 8", header->slots);
    else
        report_add(&check->report, FINE, "slots", "%u", header->slots);
    check_size(check);
}

static void check_birth(struct check *check)
{
    const struct header *header = &check->layout.header;
    char word[WORD_SIZE], id[2 * sizeof header->region_id + 1];

    report_add(&check->report, (int64_t)header->created > now_since_1970() ? NOTE : FINE, "created", "%s%s",
               words_time(word, (int64_t)header->created),
               (int64_t)header->created > now_since_1970() ? ", in the future: a clock was changed" : "");
    for (size_t i = 0; i < sizeof header->region_id; i++)
        snprintf(id + 2 * i, 3, "%02x", header->region_id[i]);
    report_add(&check->report, FINE, "region", "%s", id);
    if (header->reserved != 0 || header->reserved2 != 0)
        report_add(&check->report, NOTE, "reserved", "not 0: a later version uses it, or it was overwritten");
}

/* ---- its world ----------------------------------------------------------------------------------------- */

static void advise_replacing(const struct check *check)
{
    char *name = text_shell_word(check->name);

    if (!target_is_descriptor(check->name))
        report_advise("give the name a new region with the same value: seqshare replace %s", name);
    free(name);
}

static void advise_nsenter(const struct check *check)
{
    int process = namespace_process(check->layout.header.pid_namespace);
    char *name = text_shell_word(check->name);

    if (process)
        report_advise("or write from inside: nsenter --target %d --pid --time seqshare set %s ...", process,
                      name);
    free(name);
}

/* The library has read /proc, as before each write, and says whether it could write here. */
static void check_world(struct check *check)
{
    const char *why = namespace_foreign_in_words(check->share.foreign);

    switch (check->opens ? check->share.foreign : 0) {
    case 0:
        if (check->opens)
            report_add(&check->report, FINE, "namespaces", "those of this process, and of this boot");
        return;
    case SEQSHARE_FOREIGN_BOOT:
        report_add(&check->report, WRONG, "boot", "%s: it can be read, but not written", why);
        break;
    case SEQSHARE_FOREIGN_UNKNOWN:
        report_add(&check->report, NOTE, "boot", "not known: %s; it can be read, but not written", why);
        break;
    default:
        report_add(&check->report, NOTE, "namespaces", "%s: from here it can be read, but not written", why);
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
        report_add(&check->report, WRONG, "sequence", "%llu: no version can be so high",
                   (unsigned long long)sequence);
    else if (sequence & 1)
        report_add(&check->report, NOTE, "sequence",
                   "the version is %llu; a write has begun, and is under way or was given up",
                   (unsigned long long)version);
    else if (version == 0)
        report_add(&check->report, FINE, "sequence", "nothing has been published yet");
    else
        report_add(&check->report, FINE, "sequence", "the version is %llu", (unsigned long long)version);
}

/* The name leads to the region that lost it: so its file is mounted alone, or has a second name. */
static void report_replaced(struct check *check)
{
    bool named = !target_is_descriptor(check->name);

    report_add(&check->report, named ? WRONG : NOTE, "retired",
               "replaced: the name leads to another region, and nobody publishes in this one");
    if (named)
        report_advise(
            "but this name still leads here: mount or use the folder of the name that was replaced");
}

static void check_marks(struct check *check)
{
    uint32_t marks = check->layout.head.retired;
    const uint32_t look = SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE;

    if (marks & ~(SEQSHARE_REPLACED | SEQSHARE_UNLINKED | look))
        report_add(&check->report, WRONG, "retired", "%08x: there is no such mark", marks);
    else if (marks & SEQSHARE_REPLACED)
        report_replaced(check);
    else if (marks & SEQSHARE_UNLINKED)
        report_add(&check->report, NOTE, "retired",
                   "unlinked: the name was removed; programs that have it open go on");
    else if (marks & look)
        report_add(&check->report, NOTE, "retired",
                   "no; a process is moving the name, or was killed before it did");
    else
        report_add(&check->report, FINE, "retired", "no");
}

/* How many bytes of a slot the file has memory for. If the file system does not tell: all. */
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
        report_add(&check->report, WRONG, subject, "%llu bytes, more than the capacity",
                   (unsigned long long)words->length);
    else if (current && words->length > held(check, slot))
        report_add(&check->report, WRONG, subject, "%llu bytes, but the file holds only %llu of them",
                   (unsigned long long)words->length, (unsigned long long)held(check, slot));
    else if (note->published == 0)
        report_add(&check->report, FINE, subject, "not used yet");
    else
        report_add(&check->report, FINE, subject, "%s: %llu bytes, %s, published by process %u at %s",
                   current ? "the value" : "an older or the next value", (unsigned long long)words->length,
                   tag, note->writer, words_time(when, (int64_t)note->published));
    if (words->reserved != 0 || note->reserved != 0)
        report_add(&check->report, NOTE, subject, "reserved words are not 0");
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
    uint64_t doing = state & (STATE_BUSY | STATE_HELD);

    if (owner & OWNER_WRITING)
        return "in a set or fill";
    if (((owner ^ state) & ~(OWNER_WAITERS | STATE_BUSY | STATE_HELD)) != 0)
        return "in lock or unlock";
    return doing == STATE_BUSY                  ? "in a set or fill" /* by an earlier library */
           : doing == STATE_HELD                ? "by lock"
           : doing == (STATE_BUSY | STATE_HELD) ? "by lock, in a set or fill"
                                                : "in lock or unlock";
}

static void check_lock(struct check *check)
{
    uint64_t owner = check->layout.lock.owner;
    int tid = (int)(owner & OWNER_TID_MASK);
    const char *doing = activity(owner, check->layout.lock.state);
    bool foreign = check->opens && check->share.foreign;
    char word[WORD_SIZE], *program = text_printable(facts_program(tid, word));

    if (owner == 0)
        report_add(&check->report, FINE, "lock", "free");
    else if (tid == 0)
        report_add(&check->report, NOTE, "lock", "%016llx names no owner: the next writer takes it over",
                   (unsigned long long)owner);
    else if (foreign || !check->opens)
        report_add(&check->report, NOTE, "lock", "owned by thread %d, %s; nobody can tell%s whether it lives",
                   tid, doing, foreign ? " from another namespace or boot" : "");
    else if (check->share.owner == tid && !check->share.owner_alive)
        report_add(&check->report, NOTE, "lock",
                   "owned by thread %d, %s, which has died: the next writer takes it over", tid, doing);
    else
        report_add(&check->report, FINE, "lock", "owned by thread %d (%s), %s", tid, program, doing);
    free(program);
    if (owner & OWNER_WAITERS)
        report_add(&check->report, FINE, "waiting", "a process may be waiting for the lock");
    report_add(&check->report, FINE, "wake-up", "%s",
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
        report_add(&check->report, WRONG, "head", "the file ends before it: truncated");
        return;
    }
    check_head(check);
    check_lock(check);
}
