/* SPDX-License-Identifier: MIT */
/*
 * Follows a share: its documents and its name. A worker that finds another document than the one in use checks it, and
 * keeps it for all workers (good.c).
 *
 * The share is read by pread alone: its file's owner may cut it at any time, and a process that touches mapped memory
 * of it then dies.
 *
 * A worker asks for the version at most once in a millisecond of nginx's clock, because that takes three system calls.
 * Once a second it looks at everything, also without a request.
 */
#include "ngx_http_seqshare.h"

static const int64_t LOCK_PATIENCE = 2000000; /* 2 ms */

/* ---- names ----------------------------------------------------------------------------------- */

/* A region that was replaced has a name only if its file is mounted alone, or is linked twice: -EIDRM then. */
static int open_by_name(const char *path, seqshare **found)
{
    struct seqshare_stat stat;
    int error = seqshare_open(found, path, SEQSHARE_READ);

    if (error)
        return error;
    error = seqshare_pstat(*found, &stat);
    if (!error && stat.replaced)
        error = -EIDRM;
    return error;
}

/* Opened again, because seqshare_reopen may compare with mapped memory. */
int follow_name(struct web_share *share)
{
    seqshare *found = NULL;
    int error = open_by_name(share->path, &found);

    if (error == -EIDRM) { /* or it has been replaced just now */
        seqshare_close(found);
        found = NULL;
        error = open_by_name(share->path, &found);
    }
    if (!found)
        return error;
    seqshare_close(share->source);
    share->source = found;
    return error;
}

/* ---- what the share has ---------------------------------------------------------------------- */

static void note_refusal(struct web_share *share)
{
    share->refused = true;
    share->refusals++;
    __atomic_add_fetch(&share->journal->refusals, 1, __ATOMIC_RELAXED); /* statistics, all of them */
    __atomic_store_n(&share->journal->refused_version, share->seen.version, __ATOMIC_RELAXED);
    log_refusal(share);
}

static void refuse_long(struct web_share *share, uint64_t length)
{
    snprintf(share->why, sizeof share->why, "it has %llu bytes, and max=%zu of \"seqshare\" allows less",
             (unsigned long long)length, share->most);
    note_refusal(share);
}

static void see(struct web_share *share, const struct origin *origin)
{
    if (share->seen.version > 0 && !origin_is_of_same_region(origin, &share->seen))
        share->moved++;
    share->seen = *origin;
    share->refused = false;
}

/* 0: the document is used or refused. */
static int check_and_keep(struct web_share *share, struct origin *origin, struct kept *kept, size_t size)
{
    seqshare_reading reading = {.bytes = kept->text, .size = size};
    int error = seqshare_pread(share->source, &reading), wrong;

    if (error)
        return error == -ENOBUFS ? -EBUSY : error; /* there is a longer one by now: look again */
    origin->version = reading.version;
    origin->published = reading.published;
    wrong = seqshare_json_check(kept->text, reading.length, share->why);
    if (!wrong)
        error = good_keep(share, kept, origin, reading.length);
    else if (wrong != -EBADMSG)
        error = wrong;
    if (error)
        return error;
    see(share, origin);
    if (wrong)
        note_refusal(share);
    return 0;
}

static int read_and_keep(struct web_share *share, struct origin *origin, uint64_t length)
{
    struct kept *kept;
    int error;

    if (length > share->most) {
        see(share, origin);
        refuse_long(share, length);
        return 0;
    }
    kept = malloc(sizeof *kept + (size_t)length + 1); /* a length of 0 has a place too */
    if (!kept)
        return -ENOMEM;
    error = check_and_keep(share, origin, kept, (size_t)length);
    free(kept);
    return error;
}

/* Is this the region that its name has? If nobody can follow the name, the region's marks decide. */
static bool is_current(const struct web_share *share)
{
    struct seqshare_stat stat;

    if (!share->name_trouble || seqshare_version(share->good) == 0) /* or there is nothing better */
        return true;
    return seqshare_pstat(share->source, &stat) == 0 && !stat.replaced;
}

/* Under the lock of `good`, so that nobody keeps an older document, or one of an older region, after this. */
static int keep_newest(struct web_share *share)
{
    struct origin origin;
    uint64_t length;
    int error;

    share->name_trouble = follow_name(share);
    error = origin_read(share->source, &origin, &length);
    if (error)
        return error;
    if (origin.version > 0 && !good_has(share, &origin) && is_current(share))
        return read_and_keep(share, &origin, length);
    see(share, &origin);
    return 0;
}

/*
 * Another worker may be keeping a document just now: for one of usual length, that is shorter than we wait. If it takes
 * longer, we do not wait the next time. -EBUSY: this request has the old document.
 */
static int lock_good(struct web_share *share)
{
    int error = share->busy ? seqshare_trylock(share->good) : seqshare_lock_for(share->good, LOCK_PATIENCE);

    if (error == -ETIMEDOUT)
        error = -EBUSY;
    share->busy = error == -EBUSY;
    return error;
}

/* `fully`: look for another region too. */
static int check_document(struct web_share *share, bool fully)
{
    struct origin origin;
    uint64_t version, length;
    int error = seqshare_pversion(share->source, &version);

    if (error || (!fully && version == share->seen.version))
        return error;
    error = origin_read(share->source, &origin, &length);
    if (error || origin_is_same(&origin, &share->seen))
        return error;
    if (document_is_used(share, &origin)) {
        see(share, &origin);
        return 0;
    }
    error = lock_good(share);
    if (error < 0)
        return error;
    error = keep_newest(share);
    seqshare_unlock(share->good);
    return error;
}

/* ---- when to look ---------------------------------------------------------------------------- */

static void log_changes(struct web_share *share)
{
    int trouble = share->name_trouble ? share->name_trouble : share->read_trouble;

    if (trouble)
        log_trouble(share, trouble);
    else if (share->had_trouble)
        log_trouble_over(share);
    share->had_trouble = trouble != 0;
    if (share->refused)
        log_refusal(share);
}

/* A worker that is stopped while it keeps a document does not stop the others. */
static int not_yet(struct web_share *share, int error)
{
    share->busy_ticks = error == -EBUSY ? share->busy_ticks + 1 : 0;
    if (error != -EBUSY)
        return error;
    return share->busy_ticks > 1 ? -ETIMEDOUT : 0;
}

void follow_tick(struct web_share *share)
{
    share->looked = ngx_current_msec;
    share->name_trouble = follow_name(share);
    share->read_trouble = share->source ? not_yet(share, check_document(share, true)) : 0;
    log_changes(share);
}

/* A document that could not be read is not tried again before the next tick. */
void follow_look(struct web_share *share)
{
    int error;

    if (share->looked == ngx_current_msec)
        return;
    share->looked = ngx_current_msec;
    if (!share->source || share->read_trouble)
        return;
    error = check_document(share, false);
    if (error && error != -EBUSY) {
        share->read_trouble = error;
        log_changes(share);
    }
}
