/* SPDX-License-Identifier: MIT */
/*
 * Lines of the log about a share: each kind once a minute at most, over all workers, whatever a publisher does.
 *
 * A word of the journal for each kind says which line was written last, and when: so one compare-and-swap decides
 * which worker writes the next. Relaxed, all of them: nothing else depends on them.
 */
#include "ngx_http_seqshare.h"

enum { TIME_BITS = 40, MINUTE = 60 };

static uint64_t token_in(uint64_t said)
{
    return said >> TIME_BITS;
}

/* A clock that has been set back also ends the minute. */
static bool minute_is_over(uint64_t said)
{
    uint64_t past = said & ((UINT64_C(1) << TIME_BITS) - 1);

    return (uint64_t)ngx_time() - past >= MINUTE;
}

static uint64_t last_line(const struct web_share *share, unsigned line)
{
    return __atomic_load_n(&share->journal->said[line], __ATOMIC_RELAXED);
}

static bool claim_line(const struct web_share *share, unsigned line, uint64_t last, uint64_t token)
{
    return __atomic_compare_exchange_n(&share->journal->said[line], &last,
                                       token << TIME_BITS | (uint64_t)ngx_time(), false, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

/* ---- trouble --------------------------------------------------------------------------------- */

static const char *trouble_in_words(int trouble)
{
    if (trouble == -EACCES)
        return "the workers' user may not read the share that now has the name";
    if (trouble == -ETIMEDOUT)
        return "another worker is storing a document, and has not finished for a second";
    return seqshare_strerror(trouble);
}

/* Each error has lines of its own: a publisher may fail in several ways by turns. */
static unsigned line_of(int trouble)
{
    return LINE_TROUBLE + (unsigned)-trouble % TROUBLES;
}

enum { BY_MASTER, BY_WORKER };

void log_trouble(struct web_share *share, int trouble)
{
    unsigned line = line_of(trouble);
    uint64_t last = last_line(share, line);
    int standing = __atomic_load_n(&share->journal->trouble, __ATOMIC_RELAXED);
    bool is_new = trouble != standing && token_in(last) == BY_MASTER;

    if ((!is_new && !minute_is_over(last)) || !claim_line(share, line, last, BY_WORKER))
        return;
    __atomic_store_n(&share->journal->trouble, trouble, __ATOMIC_RELAXED);
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "seqshare %V: %s; requests keep the last good document",
                  &share->name, trouble_in_words(trouble));
}

void log_trouble_over(struct web_share *share)
{
    if (__atomic_exchange_n(&share->journal->trouble, 0, __ATOMIC_RELAXED) != 0)
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "seqshare %V: the share is there again",
                      &share->name);
}

void log_said_by_master(struct web_share *share, int trouble)
{
    unsigned line = line_of(trouble);

    __atomic_store_n(&share->journal->trouble, trouble, __ATOMIC_RELAXED);
    if (last_line(share, line) == 0) /* else the minute of a worker's line goes on */
        claim_line(share, line, 0, BY_MASTER);
}

/* ---- documents and values that are not used -------------------------------------------------- */

/* 24 bits that differ from one document to the next. */
static uint64_t token_of(const struct origin *origin)
{
    uint64_t region;

    ngx_memcpy(&region, origin->region_id, sizeof region);
    return ((region ^ region >> 24 ^ region >> 48) + origin->version) & 0xffffff;
}

/* Once for each document, and once a minute. */
static bool claim_for_document(const struct web_share *share, unsigned line, const struct origin *origin)
{
    uint64_t last = last_line(share, line), token = token_of(origin);

    if (last != 0 && (token_in(last) == token || !minute_is_over(last)))
        return false;
    return claim_line(share, line, last, token);
}

void log_refusal(struct web_share *share)
{
    if (claim_for_document(share, LINE_REFUSAL, &share->seen))
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "seqshare %V: version %uL is not used, the last good one stays: %s", &share->name,
                      share->seen.version, share->why);
}

void log_omission(const struct setting *setting, const struct origin *origin, const char *why)
{
    if (claim_for_document(setting->share, LINE_OMISSION, origin))
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "seqshare %V: $%V has its default: the value at %s in version %uL %s",
                      &setting->share->name, &setting->variable, setting->pointer, origin->version, why);
}
