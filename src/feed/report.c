/* SPDX-License-Identifier: MIT */
/* The agent's report, in each of its forms. Nothing in it is a value or a secret. */
#include "report.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop.h"

static const char *const refusals[] = {"keys", "size", "depth", "json", "check", "source"};
static const char *const holds[] = {"empty", "shrink", "back"};

enum { STATES = 8 };

static unsigned bit_of(size_t i)
{
    return 1U << i;
}

/* ---- the members that are plain: for JSON both ways ------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} numbers[] = {{"version", offsetof(struct report, feed.version)},
               {"revision", offsetof(struct report, feed.revision)},
               {"newest", offsetof(struct report, feed.newest)},
               {"document_bytes", offsetof(struct report, bytes)},
               {"publications", offsetof(struct report, publications)},
               {"connects", offsetof(struct report, connects)},
               {"lists", offsetof(struct report, lists)},
               {"logins", offsetof(struct report, logins)},
               {"received_bytes", offsetof(struct report, received)}};
static const struct {
    const char *name;
    size_t offset, size;
} texts[] = {{"name", offsetof(struct report, name), sizeof((struct report *)0)->name},
             {"share", offsetof(struct report, share), sizeof((struct report *)0)->share},
             {"source", offsetof(struct report, source), sizeof((struct report *)0)->source},
             {"refused", offsetof(struct report, refused), REPORT_WHY},
             {"held", offsetof(struct report, held), REPORT_WHY},
             {"away", offsetof(struct report, away), REPORT_WHY},
             {"pinned", offsetof(struct report, pinned), REPORT_WHY},
             {"drifted", offsetof(struct report, drifted), REPORT_WHY},
             {"unkept", offsetof(struct report, unkept), REPORT_WHY},
             {"waiting", offsetof(struct report, waiting), REPORT_WHY}};

enum { NUMBERS = sizeof numbers / sizeof numbers[0], TEXTS = sizeof texts / sizeof texts[0] };

static uint64_t *number_of(struct report *report, size_t i)
{
    return (uint64_t *)(void *)((char *)report + numbers[i].offset);
}

static char *text_of(struct report *report, size_t i)
{
    return (char *)report + texts[i].offset;
}

/* ---- words ----------------------------------------------------------------------------------- */

const char *report_words(char *words, size_t room, unsigned state)
{
    size_t used = 0;

    snprintf(words, room, "live");
    for (size_t i = 0; i < STATES; i++)
        if (state & bit_of(i) && used < room)
            used += (size_t)snprintf(words + used, room - used, "%s%s", used ? ", " : "",
                                     seqshare_feed_word(bit_of(i)));
    return words;
}

int report_exit_status(const struct report *report, bool alive)
{
    unsigned state = (unsigned)seqshare_feed_state(&report->feed);

    if (state & SEQSHARE_FEED_NONE)
        return REPORT_NOTHING;
    if (!alive)
        return REPORT_NO_AGENT;
    if (state & SEQSHARE_FEED_HELD)
        return REPORT_HELD;
    if (state & SEQSHARE_FEED_REFUSED)
        return REPORT_REFUSED;
    if (state & SEQSHARE_FEED_STALE)
        return REPORT_STALE;
    if (state & SEQSHARE_FEED_PINNED)
        return REPORT_PINNED;
    return state & SEQSHARE_FEED_DRIFTED ? REPORT_DRIFTED : REPORT_LIVE;
}

/* Seconds since 1970 of a moment of CLOCK_BOOTTIME; 0: never. */
static double since_1970(int64_t when)
{
    struct timespec now;

    if (when <= 0)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9 - (double)(loop_now() - when) / 1e9;
}

static void print_age(FILE *out, const char *what, int64_t when)
{
    if (when > 0)
        fprintf(out, "%-9s %.1f s ago\n", what, (double)(loop_now() - when) / 1e9);
    else
        fprintf(out, "%-9s never since boot\n", what);
}

void report_print(const struct report *report, bool alive, FILE *out)
{
    char words[128];
    struct report copy = *report;

    fprintf(out, "%-9s %s\n", "feed", report->name);
    fprintf(out, "%-9s %s%s\n", "state",
            report_words(words, sizeof words, (unsigned)seqshare_feed_state(&report->feed)),
            alive ? "" : ", no agent runs");
    fprintf(out, "%-9s %s\n", "source", report->source);
    fprintf(out, "%-9s %s, version %" PRIu64 ", %" PRIu64 " bytes\n", "share", report->share,
            report->feed.version, report->bytes);
    fprintf(out, "%-9s %" PRIu64 ", newest seen %" PRIu64 "\n", "revision", report->feed.revision,
            report->feed.newest);
    print_age(out, "current", report->feed.current);
    print_age(out, "contact", report->feed.contact);
    for (size_t i = 3; i < TEXTS; i++)
        if (text_of(&copy, i)[0])
            fprintf(out, "%-9s %s\n", texts[i].name, text_of(&copy, i));
}

/* ---- Prometheus ------------------------------------------------------------------------------ */

/* Label values have three characters that are escaped. */
static void print_label(FILE *out, const char *text)
{
    for (; *text; text++)
        if (*text == '\n')
            fputs("\\n", out);
        else
            fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void metric(FILE *out, const struct report *report, const char *name, const char *type,
                   const char *help, double value)
{
    fprintf(out, "# HELP seqshare_feed_%s %s\n# TYPE seqshare_feed_%s %s\nseqshare_feed_%s{share=\"", name,
            help, name, type, name);
    print_label(out, report->share);
    fprintf(out, "\"} %.17g\n", value);
}

static void labelled(FILE *out, const struct report *report, const char *name, const char *label,
                     const char *value, uint64_t number)
{
    fprintf(out, "seqshare_feed_%s{share=\"", name);
    print_label(out, report->share);
    fprintf(out, "\",%s=\"%s\"} %" PRIu64 "\n", label, value, number);
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP seqshare_feed_%s %s\n# TYPE seqshare_feed_%s %s\n", name, help, name, type);
}

static void print_counters(const struct report *report, FILE *out)
{
    metric(out, report, "publications_total", "counter", "Documents that were published.",
           (double)report->publications);
    metric(out, report, "connects_total", "counter", "Connections that were begun.",
           (double)report->connects);
    metric(out, report, "lists_total", "counter", "Times that everything was read.", (double)report->lists);
    metric(out, report, "logins_total", "counter", "Logins at the source.", (double)report->logins);
    metric(out, report, "received_bytes_total", "counter", "Bytes that came from the source.",
           (double)report->received);
    head(out, "refusals_total", "counter", "Documents that did not pass a check.");
    for (size_t i = 0; i < REPORT_REFUSALS; i++)
        labelled(out, report, "refusals_total", "reason", refusals[i], report->refusals[i]);
    head(out, "holds_total", "counter", "Documents that waited for an operator.");
    for (size_t i = 0; i < REPORT_HOLDS; i++)
        labelled(out, report, "holds_total", "reason", holds[i], report->holds[i]);
}

void report_prometheus(const struct report *report, FILE *out)
{
    unsigned state = (unsigned)seqshare_feed_state(&report->feed);

    head(out, "state", "gauge", "1 for each word that holds of the value.");
    labelled(out, report, "state", "state", "live", state == 0);
    for (size_t i = 0; i < STATES; i++)
        labelled(out, report, "state", "state", seqshare_feed_word(bit_of(i)), (state & bit_of(i)) != 0);
    metric(out, report, "current_timestamp_seconds", "gauge",
           "When the value was last known to be the source's; 0: never since boot.",
           since_1970(report->feed.current));
    metric(out, report, "contact_timestamp_seconds", "gauge",
           "The source's last sign of life; 0: none since boot.", since_1970(report->feed.contact));
    metric(out, report, "source_revision", "gauge", "The source's revision of the value.",
           (double)report->feed.revision);
    metric(out, report, "newest_revision", "gauge", "The newest revision seen at the source.",
           (double)report->feed.newest);
    metric(out, report, "share_version", "gauge", "The version of the share that is the feed's.",
           (double)report->feed.version);
    metric(out, report, "document_bytes", "gauge", "The length of the value.", (double)report->bytes);
    print_counters(report, out);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_object *words_of(unsigned state)
{
    json_object *list = json_object_new_array();

    for (size_t i = 0; i < STATES; i++)
        if (state & bit_of(i))
            json_object_array_add(list, json_object_new_string(seqshare_feed_word(bit_of(i))));
    return list;
}

static json_object *counts_of(const char *const *names, const uint64_t *counts, size_t count)
{
    json_object *object = json_object_new_object();

    for (size_t i = 0; i < count; i++)
        json_object_object_add(object, names[i], json_object_new_uint64(counts[i]));
    return object;
}

static void add_times(json_object *all, const struct report *report)
{
    int64_t age = seqshare_feed_age(&report->feed);

    json_object_object_add(all, "age_seconds", age < 0 ? NULL : json_object_new_double((double)age / 1e9));
    json_object_object_add(all, "current", json_object_new_int64(report->feed.current));
    json_object_object_add(all, "contact", json_object_new_int64(report->feed.contact));
    json_object_object_add(all, "stale_ms", json_object_new_int64(report->feed.stale_ms));
    json_object_object_add(all, "pid", json_object_new_int64(report->feed.pid));
}

char *report_json(const struct report *report, bool alive, size_t *length)
{
    struct report copy = *report;
    unsigned state = (unsigned)seqshare_feed_state(&report->feed);
    json_object *all = json_object_new_object();
    const char *text;
    char *result;

    for (size_t i = 0; i < 3; i++)
        json_object_object_add(all, texts[i].name, json_object_new_string(text_of(&copy, i)));
    json_object_object_add(all, "agent", json_object_new_boolean(alive));
    json_object_object_add(all, "state", words_of(state));
    json_object_object_add(all, "state_bits", json_object_new_int64(state));
    for (size_t i = 0; i < NUMBERS; i++)
        json_object_object_add(all, numbers[i].name, json_object_new_uint64(*number_of(&copy, i)));
    add_times(all, report);
    json_object_object_add(all, "refusals", counts_of(refusals, report->refusals, REPORT_REFUSALS));
    json_object_object_add(all, "holds", counts_of(holds, report->holds, REPORT_HOLDS));
    for (size_t i = 3; i < TEXTS; i++)
        if (text_of(&copy, i)[0])
            json_object_object_add(all, texts[i].name, json_object_new_string(text_of(&copy, i)));
    text = json_object_to_json_string_length(all, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
                                             length);
    result = text ? strdup(text) : NULL;
    json_object_put(all);
    return result;
}

static uint64_t number_in(json_object *all, const char *name)
{
    json_object *value;

    return json_object_object_get_ex(all, name, &value) ? json_object_get_uint64(value) : 0;
}

static void take_counts(json_object *all, const char *name, const char *const *names, uint64_t *counts,
                        size_t count)
{
    json_object *object;

    if (!json_object_object_get_ex(all, name, &object) || !json_object_is_type(object, json_type_object))
        return;
    for (size_t i = 0; i < count; i++)
        counts[i] = number_in(object, names[i]);
}

static void take(struct report *report, json_object *all)
{
    json_object *value;

    for (size_t i = 0; i < NUMBERS; i++)
        *number_of(report, i) = number_in(all, numbers[i].name);
    for (size_t i = 0; i < TEXTS; i++)
        if (json_object_object_get_ex(all, texts[i].name, &value))
            snprintf(text_of(report, i), texts[i].size, "%s", json_object_get_string(value));
    take_counts(all, "refusals", refusals, report->refusals, REPORT_REFUSALS);
    take_counts(all, "holds", holds, report->holds, REPORT_HOLDS);
    report->feed.state = (uint32_t)number_in(all, "state_bits");
    report->feed.current = (int64_t)number_in(all, "current");
    report->feed.contact = (int64_t)number_in(all, "contact");
    report->feed.stale_ms = (uint32_t)number_in(all, "stale_ms");
    report->feed.pid = (uint32_t)number_in(all, "pid");
}

bool report_parse(struct report *report, const char *text, size_t length)
{
    struct json_tokener *tokener = json_tokener_new();
    json_object *all = tokener ? json_tokener_parse_ex(tokener, text, (int)length) : NULL;
    bool fine = json_object_is_type(all, json_type_object);

    *report = (struct report){0};
    if (fine)
        take(report, all);
    json_object_put(all);
    if (tokener)
        json_tokener_free(tokener);
    return fine;
}
