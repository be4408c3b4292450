/* SPDX-License-Identifier: MIT */
/*
 * Follows a share: its documents and its name. A child that finds another document than the one in use
 * checks it, and keeps it for all children (good.c).
 *
 * The share is read by pread alone: its file's owner may cut it at any time, and a process that touches mapped
 * memory of it then dies.
 */
#include "mod_seqshare.h"

/* ---- names ----------------------------------------------------------------------------------- */

/* A region that was replaced has a name only if its file is mounted alone, or is linked twice: -EIDRM then. */
static int open_by_name(const char *name, seqshare **found)
{
    struct seqshare_stat stat;
    int error = seqshare_open(found, name, SEQSHARE_READ);

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
    int error;

    if (share->created)
        return 0;
    error = open_by_name(share->name, &found);
    if (error == -EIDRM) { /* or it has been replaced just now */
        seqshare_close(found);
        found = NULL;
        error = open_by_name(share->name, &found);
    }
    if (!found)
        return error;
    seqshare_close(share->source);
    share->source = found;
    return error;
}

/* ---- what stands in the share ---------------------------------------------------------------- */

static void note_refusal(struct web_share *share)
{
    share->refused = true;
    __atomic_add_fetch(&share->refusals, 1, __ATOMIC_RELAXED); /* statistics, all of them */
    __atomic_add_fetch(&share->journal->refusals, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&share->journal->refused_version, share->seen.version, __ATOMIC_RELAXED);
    log_refusal(share);
}

/* 0: the document is used or refused. */
static int check_and_keep(struct web_share *share, const struct origin *origin, const char *text,
                          size_t length)
{
    int wrong = seqshare_json_check(text, length, share->why);
    int error = wrong ? 0 : good_keep(share, origin, text, length);

    if (error || (wrong && wrong != -EBADMSG))
        return error ? error : wrong;
    share->seen = *origin;
    if (wrong)
        note_refusal(share);
    return 0;
}

static int read_and_keep(struct web_share *share, struct origin *origin)
{
    seqshare_reading reading = {.bytes = NULL};
    int error = seqshare_pread(share->source, &reading);

    if (error)
        return error;
    origin->version = reading.version;
    origin->published = reading.published;
    error = check_and_keep(share, origin, reading.bytes, reading.length);
    free(reading.bytes);
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

/* Is there another document than the last one that was used or refused? */
static int use_document(struct web_share *share, struct origin *origin)
{
    share->refused = false;
    if (share->seen.version > 0 && !origin_is_of_same_region(origin, &share->seen))
        __atomic_add_fetch(&share->moved, 1, __ATOMIC_RELAXED);
    if (origin->version > 0 && !document_is_used(share, origin) && is_current(share))
        return read_and_keep(share, origin);
    share->seen = *origin;
    return 0;
}

/* For nearly every request there is not. Our own memory can be read at once. */
static int version_now(const struct web_share *share, uint64_t *version)
{
    if (!share->created)
        return seqshare_pversion(share->source, version);
    *version = seqshare_version(share->source);
    return 0;
}

/* `fully`: look for another region too. */
static int check_document(struct web_share *share, bool fully)
{
    struct origin origin;
    uint64_t version;
    int error = version_now(share, &version);

    if (error || (!fully && version == share->seen.version))
        return error;
    error = origin_read(share->source, &origin);
    if (error || origin_is_same(&origin, &share->seen))
        return error;
    /* The name may lead elsewhere: then this region does not matter any more. */
    share->name_trouble = follow_name(share);
    error = origin_read(share->source, &origin);
    return error ? error : use_document(share, &origin);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* It is also time if the clock has been set back. */
static bool is_time(const struct web_share *share, apr_time_t now)
{
    apr_time_t left = share->next_check - now;

    return left <= 0 || left > APR_USEC_PER_SEC;
}

static void log_changes(struct web_share *share)
{
    if (share->name_trouble || share->read_trouble)
        log_trouble(share, share->name_trouble ? share->name_trouble : share->read_trouble);
    else if (share->had_trouble)
        log_trouble_over(share);
    share->had_trouble = share->name_trouble || share->read_trouble;
    if (share->refused)
        log_refusal(share);
}

static void update(struct web_share *share, apr_time_t now)
{
    bool tick = is_time(share, now);

    if (tick) {
        share->next_check = now + APR_USEC_PER_SEC;
        if (!share->cache)
            document_make_cache(share);
        share->name_trouble = follow_name(share);
    }
    /* A document that could not be read is not tried again at each request. */
    if (share->source && (tick || !share->read_trouble))
        share->read_trouble = check_document(share, tick);
    if (tick || share->read_trouble)
        log_changes(share);
}

void follow_update(struct web_share *share, apr_time_t now)
{
    /* Acquire and release pair: the next thread sees this one's work. Others meanwhile use the old document. */
    if (__atomic_exchange_n(&share->updating, true, __ATOMIC_ACQUIRE))
        return;
    update(share, now);
    __atomic_store_n(&share->updating, false, __ATOMIC_RELEASE);
}
