/* SPDX-License-Identifier: MIT */
/*
 * Follows a share: its documents and its name. A worker that finds another document than the one in use checks it, and
 * keeps it for all workers (good.c).
 *
 * The share is read by pread alone: its file's owner may cut it at any time, and a process that touches mapped memory
 * of it then dies.
 */
#include "php_seqshare.h"

#include <seqshare/feed.h>
#include <time.h>

int64_t follower_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

int origin_read(const seqshare *source, struct origin *origin)
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

bool origin_is_same(const struct origin *one, const struct origin *other)
{
    return memcmp(one, other, sizeof *one) == 0;
}

bool origin_is_of_same_region(const struct origin *one, const struct origin *other)
{
    return memcmp(one->region_id, other->region_id, sizeof one->region_id) == 0;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* A region that was replaced has a name only if its file is mounted alone, or is linked twice: -EIDRM then. */
static int open_by_name(const struct follower *follower, seqshare **found)
{
    struct seqshare_stat stat;
    int error = seqshare_open(found, follower->path, follower->access);

    if (error)
        return error;
    error = seqshare_pstat(*found, &stat);
    if (!error && stat.replaced)
        error = -EIDRM;
    return error;
}

static void move_to(struct follower *follower, seqshare *found)
{
    if (follower->owns_source)
        seqshare_close(follower->source);
    follower->source = found;
    follower->owns_source = true;
    follower->is_moved = true;
}

/* Go where the name leads now; after most errors the share keeps what it had. Opened again, because seqshare_reopen may
 * compare with mapped memory. */
static int follow_name(struct follower *follower)
{
    seqshare *found = NULL;
    int error;

    if (!follower->path)
        return 0;
    error = open_by_name(follower, &found);
    if (error == -EIDRM) { /* or it has been replaced just now */
        seqshare_close(found);
        found = NULL;
        error = open_by_name(follower, &found);
    }
    if (found)
        move_to(follower, found);
    return error;
}

/* ---- what stands in the share ---------------------------------------------------------------- */

static void use(struct follower *follower, struct document *document)
{
    document_retire(follower->document);
    follower->document = document;
    follower->decoded++;
}

/* Decode what is kept. It was checked before: only memory can be missing, and then the next look tries again. */
static void adopt(struct follower *follower)
{
    struct document *document;
    struct origin origin;
    uint64_t version = seqshare_version(follower->good);
    size_t length;
    char *text;

    if (version == follower->good_seen)
        return;
    text = good_get(follower->good, &origin, &length, &version);
    if (!text)
        return;
    document = document_new(text, length, &origin);
    free(text);
    if (!document)
        return;
    follower->good_seen = version;
    use(follower, document);
}

static void note_refusal(struct follower *follower)
{
    follower->refused = true;
    follower->refusals++;
    __atomic_add_fetch(&follower->journal->refusals, 1, __ATOMIC_RELAXED); /* statistics */
    log_refusal(follower);
}

static int keep(struct follower *follower, const struct origin *origin, char *text, size_t length)
{
    struct document *document;

    if (follower->good)
        return good_keep(follower, origin, text, length);
    document = document_new(text, length, origin);
    if (!document)
        return -ENOMEM;
    use(follower, document);
    return 0;
}

static bool is_json(uint32_t tag)
{
    return tag == 0 || tag == SEQSHARE_TAG_JSON || tag == SEQSHARE_TAG("perl.JSON");
}

int follower_check(const seqshare_reading *reading, char why[SEQSHARE_JSON_WHY_SIZE])
{
    if (is_json(reading->tag))
        return seqshare_json_check(reading->bytes, reading->length, why);
    snprintf(why, SEQSHARE_JSON_WHY_SIZE, "its type tag is %08x, and not that of JSON", reading->tag);
    return -EBADMSG;
}

/* The text with a zero byte after it, as PHP's parser wants it. */
static int terminate(seqshare_reading *reading)
{
    char *text = realloc(reading->bytes, reading->length + 1);

    if (!text)
        return -ENOMEM;
    text[reading->length] = 0;
    reading->bytes = text;
    return 0;
}

/* 0: the document is used or refused. */
static int check_and_keep(struct follower *follower, const struct origin *origin, seqshare_reading *reading)
{
    const int wrong = follower_check(reading, follower->why);
    int error = wrong ? 0 : terminate(reading);

    if (!wrong && !error)
        error = keep(follower, origin, reading->bytes, reading->length);
    if (error || (wrong && wrong != -EBADMSG))
        return error ? error : wrong;
    follower->seen = *origin;
    if (wrong)
        note_refusal(follower);
    return 0;
}

static int read_and_keep(struct follower *follower, struct origin *origin)
{
    seqshare_reading reading = {.bytes = NULL};
    int error = seqshare_pread(follower->source, &reading);

    if (error)
        return error;
    origin->version = reading.version;
    origin->published = reading.published;
    error = check_and_keep(follower, origin, &reading);
    free(reading.bytes);
    return error;
}

bool follower_has_document(const struct follower *follower)
{
    return follower->good ? seqshare_version(follower->good) > 0 : follower->document != NULL;
}

/* Is this the region that its name has? If nobody can follow the name, the region's marks decide. */
static bool is_current(const struct follower *follower)
{
    struct seqshare_stat stat;

    if (!follower->name_trouble || !follower_has_document(follower)) /* or there is nothing better */
        return true;
    return seqshare_pstat(follower->source, &stat) == 0 && !stat.replaced;
}

/* Another worker may have kept it already. */
static bool is_used(const struct follower *follower, const struct origin *origin)
{
    if (follower->good)
        return good_has(follower->good, origin);
    return follower->document && origin_is_same(&follower->document->origin, origin);
}

static int use_document(struct follower *follower, struct origin *origin)
{
    follower->refused = false;
    if (follower->seen.version > 0 && !origin_is_of_same_region(origin, &follower->seen))
        follower->moved++;
    if (origin->version > 0 && !is_used(follower, origin) && is_current(follower))
        return read_and_keep(follower, origin);
    follower->seen = *origin;
    return 0;
}

/* Is there another document than the last one that was used or refused? Another region may have the same version. */
static int check_document(struct follower *follower)
{
    struct origin origin;
    uint64_t version;
    int error = seqshare_pversion(follower->source, &version);

    if (error == -ENODATA) /* nothing has been published */
        version = 0, error = 0;
    if (error || (!follower->is_moved && version == follower->seen.version))
        return error;
    error = origin_read(follower->source, &origin);
    follower->is_moved = error != 0;
    if (error || origin_is_same(&origin, &follower->seen))
        return error;
    /* The name may lead elsewhere: then this region does not matter any more. */
    follower->name_trouble = follow_name(follower);
    error = origin_read(follower->source, &origin);
    return error ? error : use_document(follower, &origin);
}

/* ---- looking --------------------------------------------------------------------------------- */

/* It is also time if the clock is another one: a child of fork may be in another time namespace. */
static bool is_time(const struct follower *follower, int64_t now)
{
    const int64_t left = follower->next_check - now;

    return left <= 0 || left > SECOND;
}

static void log_changes(struct follower *follower, bool had_trouble)
{
    if (follower->name_trouble || follower->read_trouble)
        log_trouble(follower, follower->name_trouble ? follower->name_trouble : follower->read_trouble);
    else if (had_trouble)
        log_trouble_over(follower);
    if (follower->refused)
        log_refusal(follower);
}

static void look(struct follower *follower, int64_t now)
{
    const bool tick = is_time(follower, now), had_trouble = follower->name_trouble || follower->read_trouble;

    if (tick) {
        follower->next_check = now + SECOND;
        follower->name_trouble = follow_name(follower);
    }
    /* A document that could not be read is not tried again at each request. */
    if (follower->source && (tick || !follower->read_trouble))
        follower->read_trouble = check_document(follower);
    if (tick || follower->read_trouble)
        log_changes(follower, had_trouble);
}

void follower_keep(struct follower *follower)
{
    look(follower, follower_clock());
}

void follower_follow(struct follower *follower)
{
    const int64_t now = follower_clock();

    if (!is_time(follower, now))
        return;
    follower->next_check = now + SECOND;
    follower->name_trouble = follow_name(follower);
}

struct document *follower_look(struct follower *follower, int64_t tick)
{
    follower->tick = tick;
    follower->request = SEQSHARE_G(request);
    look(follower, tick);
    if (follower->good)
        adopt(follower);
    return follower->document;
}

struct document *follower_newest(struct follower *follower)
{
    return follower_look(follower, follower_clock());
}

void follower_end(struct follower *follower)
{
    document_retire(follower->document);
    follower->document = NULL;
    if (follower->owns_source)
        seqshare_close(follower->source);
}

/* ---- age ------------------------------------------------------------------------------------- */

static seqshare *open_feed(const struct follower *follower)
{
    seqshare *feed;
    char *path;
    int error;

    spprintf(&path, 0, "%s.feed", follower->path);
    error = seqshare_open(&feed, path, SEQSHARE_READ);
    efree(path);
    return error ? NULL : feed; /* NULL also for a stranger's, whose word counts for nothing */
}

/* Opened each time: this is a question for a status page. False: there is no feed. */
static bool read_feed(const struct follower *follower, struct seqshare_feed_1 *state)
{
    static const char name[] = "seqshare_feed_1";
    seqshare_reading reading = {.bytes = state, .size = sizeof *state};
    seqshare *feed = follower->path ? open_feed(follower) : NULL;
    const int error = feed ? seqshare_pread(feed, &reading) : -ENOENT;

    seqshare_close(feed);
    return error == 0 && reading.length == sizeof *state &&
           reading.tag == seqshare_tag(name, sizeof name - 1, sizeof *state);
}

double follower_age(struct follower *follower)
{
    struct seqshare_feed_1 state;
    struct timespec now;
    int64_t age;

    if (!follower->document)
        return -1;
    if (read_feed(follower, &state)) {
        age = seqshare_feed_age(&state);
        return age == -ENODATA ? ZEND_INFINITY : (double)age / (double)SECOND;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    age = (int64_t)now.tv_sec * SECOND + now.tv_nsec - follower->document->origin.published;
    return age > 0 ? (double)age / (double)SECOND : 0;
}
