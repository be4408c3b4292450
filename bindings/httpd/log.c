/* SPDX-License-Identifier: MIT */
/*
 * Lines of the log about a share: each kind once a minute at most, over all children, whatever a publisher does.
 *
 * A word of the journal for each kind says which line was written last, and when: so one compare-and-swap decides
 * which child writes the next. Relaxed, all of them: nothing else depends on them.
 */
#include "mod_seqshare.h"

enum { TIME_BITS = 40, MINUTE = 60 };

static uint64_t seconds(void)
{
    return (uint64_t)apr_time_sec(apr_time_now());
}

static uint64_t token_in(uint64_t said)
{
    return said >> TIME_BITS;
}

/* A clock that has been set back also ends the minute. */
static bool minute_is_over(uint64_t said)
{
    uint64_t past = said & ((UINT64_C(1) << TIME_BITS) - 1);

    return seconds() - past >= MINUTE;
}

static uint64_t last_line(const struct web_share *share, unsigned line)
{
    return __atomic_load_n(&share->journal->said[line], __ATOMIC_RELAXED);
}

static bool claim_line(const struct web_share *share, unsigned line, uint64_t last, uint64_t token)
{
    return __atomic_compare_exchange_n(&share->journal->said[line], &last, token << TIME_BITS | seconds(),
                                       false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* ---- trouble --------------------------------------------------------------------------------- */

static const char *trouble_in_words(const struct web_share *share, int trouble)
{
    if (trouble == -EMSGSIZE)
        return "the document is longer than the server has room for: restart the server";
    if (trouble == -EACCES && !share->created)
        return "the server's user may not read the share that now has the name";
    if (trouble == -ETIMEDOUT)
        return "another child is storing a document, and has not finished for a second";
    return seqshare_strerror(trouble);
}

/* Each error has lines of its own: a publisher may fail in several ways by turns. */
static unsigned line_of(int trouble)
{
    return LINE_TROUBLE + (unsigned)-trouble % TROUBLES;
}

enum { BY_PARENT, BY_CHILD };

void log_trouble(struct web_share *share, int trouble)
{
    unsigned line = line_of(trouble);
    uint64_t last = last_line(share, line);
    int standing = __atomic_load_n(&share->journal->trouble, __ATOMIC_RELAXED);
    bool is_new = trouble != standing && token_in(last) == BY_PARENT;

    if ((!is_new && !minute_is_over(last)) || !claim_line(share, line, last, BY_CHILD))
        return;
    __atomic_store_n(&share->journal->trouble, trouble, __ATOMIC_RELAXED);
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                 "seqshare %s: %s; requests keep the last good document", share->name,
                 trouble_in_words(share, trouble));
}

void log_trouble_over(struct web_share *share)
{
    if (__atomic_exchange_n(&share->journal->trouble, 0, __ATOMIC_RELAXED) != 0)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, ap_server_conf, "seqshare %s: the share is there again",
                     share->name);
}

void log_said_by_parent(struct web_share *share, int trouble)
{
    unsigned line = line_of(trouble);

    __atomic_store_n(&share->journal->trouble, trouble, __ATOMIC_RELAXED);
    if (last_line(share, line) == 0) /* else the minute of a child's line goes on */
        claim_line(share, line, 0, BY_PARENT);
}

/* ---- documents that are not used ------------------------------------------------------------- */

/* 24 bits that differ from one document to the next. */
static uint64_t token_of(const struct origin *origin)
{
    uint64_t region;

    memcpy(&region, origin->region_id, sizeof region);
    return ((region ^ region >> 24 ^ region >> 48) + origin->version) & 0xffffff;
}

void log_refusal(struct web_share *share)
{
    uint64_t last = last_line(share, LINE_REFUSAL), token = token_of(&share->seen);

    if (last != 0 && (token_in(last) == token || !minute_is_over(last)))
        return;
    if (claim_line(share, LINE_REFUSAL, last, token))
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, ap_server_conf,
                     "seqshare %s: version %" APR_UINT64_T_FMT " is not used, the last good one stays: %s",
                     share->name, share->seen.version, share->why);
}

/* ---- variables that are left out ------------------------------------------------------------- */

void log_omission(request_rec *r, const struct web_share *share, const struct variable *variable,
                  size_t length)
{
    uint64_t last = last_line(share, LINE_OMISSION);

    if ((last == 0 || minute_is_over(last)) && claim_line(share, LINE_OMISSION, last, 0))
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                      "seqshare %s: the variable %s is left out: its value of %" APR_SIZE_T_FMT
                      " bytes is too long for an environment, or has a zero character in it",
                      share->name, variable->name, length);
}
