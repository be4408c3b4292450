/* SPDX-License-Identifier: MIT */
/*
 * What is published in a share, and where its name goes. A child that finds another document than the one in use
 * checks it, and keeps it in `good`, for all children.
 *
 * The share is read by pread alone: whoever owns its file may cut it at any time, and a process that touches mapped
 * memory of it then dies. The memory of `good` is touched: the parent made it, and nobody can cut it.
 */
#include "mod_seqshare.h"

/* A child that is stopped while it keeps a document does not stop the others. */
static const int64_t PATIENCE = INT64_C(1000000000);

/* Room for documents of a share that others make: it may be replaced by one with a larger capacity. */
static const size_t ROOM_LEAST = 64 << 20;

/* ---- names ----------------------------------------------------------------------------------- */

/* A region that was replaced has a name only where its file is mounted alone, or is linked twice: -EIDRM then. */
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

/* Opened again, for seqshare_reopen may compare with what is mapped. */
int share_follow_name(struct share *share)
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

/* ---- the last good document ------------------------------------------------------------------ */

static size_t room_needed(const struct share *share)
{
    size_t room = seqshare_capacity(share->source); /* 0: there is none */

    if (!share->created && room < ROOM_LEAST)
        room = ROOM_LEAST;
    return room + sizeof(struct origin);
}

static int make_room(const struct share *share, seqshare **good)
{
    int error = seqshare_new(good, room_needed(share));

    if (error && !share->created) /* another user's file may say of itself what it likes */
        error = seqshare_new(good, ROOM_LEAST + sizeof(struct origin));
    return error;
}

static int copy_value(seqshare *to, const seqshare *from)
{
    seqshare_reading reading = {.bytes = NULL};
    int error = from ? seqshare_pread(from, &reading) : -ENODATA;

    if (error)
        return error == -ENODATA ? 0 : error;
    error = seqshare_set(to, reading.bytes, reading.length);
    free(reading.bytes);
    return error;
}

int share_make_good(struct share *share)
{
    seqshare *good;
    int error;

    if (share->good && seqshare_capacity(share->good) >= room_needed(share))
        return 0;
    error = make_room(share, &good);
    if (error)
        return share->good ? 0 : error;
    error = copy_value(good, share->good);
    if (error) {
        seqshare_close(good);
        return 0;
    }
    seqshare_close(share->good);
    share->good = good;
    return 0;
}

/* Under the lock. */
static bool kept_origin(const seqshare *good, struct origin *origin)
{
    seqshare_view view;

    if (seqshare_peek(good, &view) != 0 || view.length < sizeof *origin)
        return false;
    memcpy(origin, view.data, sizeof *origin);
    return true;
}

static bool is_same(const struct origin *one, const struct origin *other)
{
    return memcmp(one, other, sizeof *one) == 0;
}

static bool is_of_one_region(const struct origin *one, const struct origin *other)
{
    return memcmp(one->region_id, other->region_id, sizeof one->region_id) == 0;
}

static int origin_of(const seqshare *source, struct origin *origin)
{
    struct seqshare_stat stat;
    int error = seqshare_pstat(source, &stat);

    if (error)
        return error;
    memcpy(origin->region_id, stat.region_id, sizeof origin->region_id);
    origin->version = stat.version;
    origin->published = stat.published;
    return 0;
}

/*
 * Is it to take the place of what is kept? While we read and checked it, another child may have kept what was
 * published after it. In one region that shows by the version; else, by what stands in the share now.
 */
static bool is_newer(const struct share *share, const struct origin *origin)
{
    struct origin kept, now;

    if (!kept_origin(share->good, &kept))
        return true;
    if (is_same(origin, &kept))
        return false;
    if (is_of_one_region(origin, &kept) && origin->version > kept.version)
        return true;
    return origin_of(share->source, &now) == 0 && is_same(origin, &now);
}

static int write_good(seqshare *good, const struct origin *origin, const char *text, size_t length)
{
    void *slot;
    int error = seqshare_fill(good, sizeof *origin + length, &slot);

    if (error)
        return error;
    memcpy(slot, origin, sizeof *origin);
    memcpy((char *)slot + sizeof *origin, text, length);
    return seqshare_publish(good, sizeof *origin + length);
}

static int keep(const struct share *share, const struct origin *origin, const char *text, size_t length)
{
    int error = seqshare_lock_for(share->good, PATIENCE);

    if (error < 0)
        return error;
    error = is_newer(share, origin) ? write_good(share->good, origin, text, length) : 0;
    seqshare_unlock(share->good);
    return error;
}

int share_keep_published(struct share *share, const char *text, size_t length)
{
    struct origin origin;
    int error = origin_of(share->source, &origin);

    return error ? error : keep(share, &origin, text, length);
}

/* ---- what stands in the share ---------------------------------------------------------------- */

static void refuse(struct share *share)
{
    share->refused = true;
    __atomic_add_fetch(&share->refusals, 1, __ATOMIC_RELAXED); /* statistics, all of them */
    __atomic_add_fetch(&share->journal->refusals, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&share->journal->refused_version, share->seen.version, __ATOMIC_RELAXED);
    say_refusal(share);
}

/* 0: dealt with, used or refused. */
static int take_text(struct share *share, const struct origin *origin, const char *text, size_t length)
{
    int wrong = seqshare_json_check(text, length, share->why);
    int error = wrong ? 0 : keep(share, origin, text, length);

    if (error || (wrong && wrong != -EBADMSG))
        return error ? error : wrong;
    share->seen = *origin;
    if (wrong)
        refuse(share);
    return 0;
}

static int take(struct share *share, struct origin *origin)
{
    seqshare_reading reading = {.bytes = NULL};
    int error = seqshare_pread(share->source, &reading);

    if (error)
        return error;
    origin->version = reading.version;
    origin->published = reading.published;
    error = take_text(share, origin, reading.bytes, reading.length);
    free(reading.bytes);
    return error;
}

/* Is this the region that its name has? If the name cannot be followed: as far as the region knows. */
static bool is_current(const struct share *share)
{
    struct seqshare_stat stat;

    if (!share->name_trouble || seqshare_version(share->good) == 0) /* or there is nothing better */
        return true;
    return seqshare_pstat(share->source, &stat) == 0 && !stat.replaced;
}

/* Another document stands there than the one that was dealt with last. */
static int deal_with(struct share *share, struct origin *origin)
{
    share->refused = false;
    if (share->seen.version > 0 && !is_of_one_region(origin, &share->seen))
        __atomic_add_fetch(&share->moved, 1, __ATOMIC_RELAXED);
    if (origin->version > 0 && !share_uses(share, origin) && is_current(share))
        return take(share, origin);
    share->seen = *origin;
    return 0;
}

/* Nearly every request finds that it does not. Our own memory can be asked at once. */
static int version_now(const struct share *share, uint64_t *version)
{
    if (!share->created)
        return seqshare_pversion(share->source, version);
    *version = seqshare_version(share->source);
    return 0;
}

/* `fully`: it may also be another region. */
static int look_at_document(struct share *share, bool fully)
{
    struct origin origin;
    uint64_t version;
    int error = version_now(share, &version);

    if (error || (!fully && version == share->seen.version))
        return error;
    error = origin_of(share->source, &origin);
    if (error || is_same(&origin, &share->seen))
        return error;
    /* Its name may have gone elsewhere: then what happens here is no longer of interest. */
    share->name_trouble = share_follow_name(share);
    error = origin_of(share->source, &origin);
    return error ? error : deal_with(share, &origin);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Longer than a second, when the clock has been set back: then it is time, too. */
static bool is_time(const struct share *share, apr_time_t now)
{
    apr_time_t left = share->next_look - now;

    return left <= 0 || left > APR_USEC_PER_SEC;
}

static void tell(struct share *share)
{
    if (share->name_trouble || share->read_trouble)
        say_trouble(share, share->name_trouble ? share->name_trouble : share->read_trouble);
    else if (share->had_trouble)
        say_trouble_is_over(share);
    share->had_trouble = share->name_trouble || share->read_trouble;
    if (share->refused)
        say_refusal(share);
}

static void look(struct share *share, apr_time_t now)
{
    bool tick = is_time(share, now);

    if (tick) {
        share->next_look = now + APR_USEC_PER_SEC;
        if (!share->cache)
            share_make_cache(share);
        share->name_trouble = share_follow_name(share);
    }
    /* What could not be read is not tried again with each request. */
    if (share->source && (tick || !share->read_trouble))
        share->read_trouble = look_at_document(share, tick);
    if (tick || share->read_trouble)
        tell(share);
}

void share_look(struct share *share, apr_time_t now)
{
    /* Acquire and release pair: the next thread sees what this one did. Who comes meanwhile uses what there is. */
    if (__atomic_exchange_n(&share->looking, true, __ATOMIC_ACQUIRE))
        return;
    look(share, now);
    __atomic_store_n(&share->looking, false, __ATOMIC_RELEASE);
}
