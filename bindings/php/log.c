/* SPDX-License-Identifier: MIT */
/*
 * Lines of the log about a share: each kind once a minute at most, over all workers, whatever a publisher does.
 *
 * A word of the journal for each kind says which line was written last, and when: so one compare-and-swap decides
 * which worker writes the next. Relaxed, all of them: nothing else depends on them.
 */
#include "php_seqshare.h"

#include <main/php_syslog.h>
#include <time.h>

enum { TIME_BITS = 40, MINUTE = 60 };

static uint64_t seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec;
}

static uint64_t token_in(uint64_t said)
{
    return said >> TIME_BITS;
}

static bool minute_is_over(uint64_t said)
{
    return seconds() - (said & ((UINT64_C(1) << TIME_BITS) - 1)) >= MINUTE;
}

static bool claim_line(struct journal *journal, unsigned line, uint64_t last, uint64_t token)
{
    return __atomic_compare_exchange_n(&journal->said[line], &last, token << TIME_BITS | seconds(), false,
                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/*
 * PHP's log looks up the time zone, and keeps it in memory of the request. Outside of a request that memory may have
 * been given back, and the log would show whatever is there now. PHP forgets it when a request begins: do so now.
 */
static void forget_time_zone(void)
{
    const zend_module_entry *date = zend_hash_str_find_ptr(&module_registry, ZEND_STRL("date"));

    if (!PG(modules_activated) && date && date->request_startup_func)
        date->request_startup_func(date->type, date->module_number);
}

void log_line(const char *name, const char *text)
{
    char *line;

    forget_time_zone();
    spprintf(&line, 0, "seqshare: %s: %s", name, text);
    php_log_err_with_severity(line, LOG_WARNING);
    efree(line);
}

static const char *in_words(int trouble)
{
    if (trouble == -EMSGSIZE)
        return "the document is longer than PHP has room for: restart PHP";
    if (trouble == -EACCES)
        return "the user of this process may not read the share that has the name: give the file a mode that "
               "lets "
               "this user read it (0644, or 0640 and this user's group), and its folder one that lets it "
               "search";
    if (trouble == -ETIMEDOUT)
        return "another worker is storing a document, and has not finished for a second";
    return seqshare_strerror(trouble);
}

/* Each error has lines of its own: a publisher may fail in several ways by turns. */
void log_trouble(struct follower *follower, int trouble)
{
    const unsigned line = LINE_TROUBLE + (unsigned)-trouble % TROUBLES;
    const uint64_t last = __atomic_load_n(&follower->journal->said[line], __ATOMIC_RELAXED);
    char *text;

    if ((last != 0 && !minute_is_over(last)) || !claim_line(follower->journal, line, last, 0))
        return;
    __atomic_store_n(&follower->journal->trouble, trouble, __ATOMIC_RELAXED);
    spprintf(&text, 0, "%s; %s", in_words(trouble),
             follower_has_document(follower)
                 ? "the last good document stays"
                 : "there is no document yet, and the name is asked once a second");
    log_line(follower->name, text);
    efree(text);
}

void log_trouble_over(struct follower *follower)
{
    if (__atomic_exchange_n(&follower->journal->trouble, 0, __ATOMIC_RELAXED) != 0)
        log_line(follower->name, "the share is there again");
}

/* 24 bits that differ from one document to the next. */
static uint64_t token_of(const struct origin *origin)
{
    uint64_t region;

    memcpy(&region, origin->region_id, sizeof region);
    return ((region ^ region >> 24 ^ region >> 48) + origin->version) & 0xffffff;
}

void log_refusal(struct follower *follower)
{
    const uint64_t last = __atomic_load_n(&follower->journal->said[LINE_REFUSAL], __ATOMIC_RELAXED);
    const uint64_t token = token_of(&follower->seen);
    char *text;

    if (last != 0 && (token_in(last) == token || !minute_is_over(last)))
        return;
    if (!claim_line(follower->journal, LINE_REFUSAL, last, token))
        return;
    spprintf(&text, 0, "version %" PRIu64 " is not used, the last good document stays: %s",
             follower->seen.version, follower->why);
    log_line(follower->name, text);
    efree(text);
}
