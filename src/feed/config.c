/* SPDX-License-Identifier: MIT */
/* Reads a configuration by libinih, and judges it. */
#include "config.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config_url.h"
#include "loop.h"
#include "safe.h"
#include "words.h"

/* libinih's own limit, of which the line's end takes two; what is longer it would take for two lines. */
enum { LINE_MOST = 198, DEPTH_MOST = 512, FILE_MOST = 65536 };

/* ---- a file that is being read --------------------------------------------------------------- */

struct reading {
    struct config *config;
    const char *path;
    FILE *file, *errors;
    int line;
    bool given[32]; /* which settings were, in the order of the table */
    char *source;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void fault(struct reading *reading, int line, const char *format,
                                                        ...)
{
    va_list rest;

    if (reading->failed) /* the first says it */
        return;
    reading->failed = true;
    if (line > 0)
        fprintf(reading->errors, "%s:%d: ", reading->path, line);
    else
        fprintf(reading->errors, "%s: ", reading->path);
    va_start(rest, format);
    vfprintf(reading->errors, format, rest);
    va_end(rest);
    fputc('\n', reading->errors);
}

/* ---- settings -------------------------------------------------------------------------------- */

/* What takes a value: NULL, or what it should be. */
typedef const char *setting_take(struct reading *reading, const char *value, void *into);

static const char *take_text(struct reading *reading, const char *value, void *into)
{
    char **text = into;

    (void)reading;
    *text = strdup(value);
    return *text ? NULL : "there is no memory left";
}

static const char *take_path(struct reading *reading, const char *value, void *into)
{
    return value[0] == '/' ? take_text(reading, value, into) : "must be a path that begins with /";
}

static const char *take_source(struct reading *reading, const char *value, void *into)
{
    char *longer;
    int length = asprintf(
        &longer, "%s%s%s", reading->source ? reading->source : "",
        reading->source && value[0] != ',' && reading->source[strlen(reading->source) - 1] != ',' ? "," : "",
        value);

    (void)into;
    if (length < 0)
        return "there is no memory left";
    free(reading->source);
    reading->source = longer;
    return NULL;
}

static const char *take_key(struct reading *reading, const char *value, void *into)
{
    reading->config->key_length = strlen(value);
    return take_text(reading, value, into);
}

static const char *take_mode(struct reading *reading, const char *value, void *into)
{
    (void)reading;
    return words_mode(value, into) && *(mode_t *)into & 0400 && *(mode_t *)into & 0200
               ? NULL
               : "must be permissions such as 0644, with 0600 among them";
}

static const char *take_size(struct reading *reading, const char *value, void *into)
{
    (void)reading;
    return words_size(value, into) && *(size_t *)into <= SIZE_MAX / 8
               ? NULL
               : "must be a size such as 4096, 256k or 1M";
}

static const char *take_time(struct reading *reading, const char *value, void *into)
{
    (void)reading;
    return words_time(value, into) ? NULL : "must be a time such as 500ms, 30s, 5m or 1h";
}

static const char *take_percent(struct reading *reading, const char *value, void *into)
{
    (void)reading;
    return words_percent(value, into) ? NULL : "must be a part such as 50%";
}

static const char *take_depth(struct reading *reading, const char *value, void *into)
{
    uint64_t number;

    (void)reading;
    if (!words_number(value, &number) || number < 1 || number > DEPTH_MOST)
        return "must be a number from 1 to 512";
    *(unsigned *)into = (unsigned)number;
    return NULL;
}

static const char *take_form(struct reading *reading, const char *value, void *into)
{
    static const char *const forms[] = {"json-tree", "text-tree", "json", "bytes"};

    (void)reading;
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(value, forms[i]) == 0) {
            *(enum config_form *)into = (enum config_form)i;
            return NULL;
        }
    return "must be json-tree, text-tree, json or bytes";
}

static const char *take_answer(struct reading *reading, const char *value, void *into)
{
    (void)reading;
    *(enum config_answer *)into = strcmp(value, "allow") == 0 ? CONFIG_ALLOW : CONFIG_HOLD;
    return strcmp(value, "allow") == 0 || strcmp(value, "hold") == 0 ? NULL : "must be hold or allow";
}

static const char *take_drift(struct reading *reading, const char *value, void *into)
{
    (void)reading;
    *(enum config_drift *)into = strcmp(value, "revert") == 0 ? CONFIG_REVERT : CONFIG_KEEP;
    return strcmp(value, "revert") == 0 || strcmp(value, "keep") == 0 ? NULL : "must be keep or revert";
}

/* Words between blanks; no shell. */
static const char *take_words(struct reading *reading, const char *value, void *into)
{
    char ***words = into, *rest, *word;
    size_t count = 0;

    (void)reading;
    *words = calloc(strlen(value) / 2 + 2, sizeof **words);
    rest = strdup(value);
    for (char *next = rest; *words && rest && (word = strsep(&next, " \t"));)
        if (word[0])
            (*words)[count++] = word;
    if (!*words || !rest)
        return "there is no memory left";
    if (count == 0 || (*words)[0] != rest) { /* the first word begins the block, by which it is freed */
        free(rest);
        (*words)[0] = NULL;
        return "must be a command";
    }
    return rest[0] == '/' ? NULL : "must be a command whose path begins with /";
}

static const struct setting {
    const char *name;
    setting_take *take;
    size_t offset;
    bool needed;
} settings[] = {
    {"source", take_source, 0, true},
    {"share", take_text, offsetof(struct config, share), true},
    {"form", take_form, offsetof(struct config, form), true},
    {"state", take_path, offsetof(struct config, state), true},
    {"key", take_key, offsetof(struct config, key), false},
    {"mode", take_mode, offsetof(struct config, mode), false},
    {"max-size", take_size, offsetof(struct config, max_size), false},
    {"max-depth", take_depth, offsetof(struct config, max_depth), false},
    {"max-shrink", take_percent, offsetof(struct config, max_shrink), false},
    {"check", take_words, offsetof(struct config, check), false},
    {"check-within", take_time, offsetof(struct config, check_within), false},
    {"empty", take_answer, offsetof(struct config, empty), false},
    {"back", take_answer, offsetof(struct config, back), false},
    {"splay", take_time, offsetof(struct config, splay), false},
    {"stale", take_time, offsetof(struct config, stale), false},
    {"drift", take_drift, offsetof(struct config, drift), false},
    {"metrics", take_path, offsetof(struct config, metrics), false},
    {"tls-ca", take_path, offsetof(struct config, tls_ca), false},
    {"tls-cert", take_path, offsetof(struct config, tls_cert), false},
    {"tls-key", take_path, offsetof(struct config, tls_key), false},
    {"user", take_text, offsetof(struct config, user), false},
    {"password-file", take_path, offsetof(struct config, password_file), false},
    {"token-file", take_path, offsetof(struct config, token_file), false},
    {"interval", take_time, offsetof(struct config, interval), false},
};

enum { SETTINGS = sizeof settings / sizeof settings[0] };
_Static_assert(SETTINGS <= sizeof((struct reading *)0)->given, "each setting has its mark");

/* ---- by libinih ------------------------------------------------------------------------------ */

static int take(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    const char *wrong;
    unsigned i = 0;

    (void)section;
    while (i < SETTINGS && strcmp(settings[i].name, name) != 0)
        i++;
    if (i == SETTINGS) {
        fault(reading, reading->line, "there is no setting '%s'", name);
    } else if (!value[0]) {
        fault(reading, reading->line, "%s has no value", name);
    } else if (reading->given[i] && settings[i].take != take_source) {
        fault(reading, reading->line, "%s is given twice (an indented line goes on with the line above it)",
              name);
    } else {
        reading->given[i] = true;
        wrong = settings[i].take(reading, value, (char *)reading->config + settings[i].offset);
        if (wrong)
            fault(reading, reading->line, "%s %s", name, wrong);
    }
    return 1;
}

/* What libinih would take in its own way: lines too long, sections, zero bytes. */
static bool inspect(struct reading *reading, const char *line, size_t length)
{
    const char *first = line + strspn(line, " \t\r\n\xef\xbb\xbf");
    size_t end = length;

    while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r'))
        end--;
    if (end >= LINE_MOST)
        fault(reading, reading->line, "the line is longer than %d bytes", LINE_MOST - 1);
    else if (strlen(line) != length)
        fault(reading, reading->line, "the line has a zero byte");
    else if (*first == '[')
        fault(reading, reading->line, "there are no sections in this file");
    else if (*first && !strchr(";#", *first) && first == line && !strpbrk(first, "=:"))
        fault(reading, reading->line, "the line is not NAME = VALUE");
    return !reading->failed;
}

/* The next line for libinih, as fgets. */
static char *next_line(char *text, int room, void *user)
{
    struct reading *reading = user;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    if (reading->failed)
        return NULL;
    length = getline(&line, &size, reading->file);
    reading->line++;
    if (length >= 0 && inspect(reading, line, (size_t)length))
        snprintf(text, (size_t)room, "%s", line);
    free(line);
    return length < 0 || reading->failed ? NULL : text;
}

static int read_lines(struct reading *reading)
{
    int fd = safe_open(reading->path, O_RDONLY, reading->errors);
    struct stat status;

    if (fd < 0)
        return fd;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > FILE_MOST ||
        !(reading->file = fdopen(fd, "r"))) {
        close(fd);
        fault(reading, 0, "it is not a file of at most 64 KiB");
        return -EINVAL;
    }
    if (ini_parse_stream(next_line, reading, take, reading) != 0)
        fault(reading, reading->line, "the line is not NAME = VALUE");
    fclose(reading->file);
    return reading->failed ? -EINVAL : 0;
}

/* ---- the whole of it ------------------------------------------------------------------------- */

static bool is_http(const struct config *config)
{
    return strncmp(config->scheme, "http", 4) == 0;
}

static bool is_tree(const struct config *config)
{
    return config->form == CONFIG_JSON_TREE || config->form == CONFIG_TEXT_TREE;
}

/* A tree is of all keys below a prefix, or of a folder; else there is one key. */
static const char *judge_form(const struct config *config)
{
    bool prefix = config->key && config->key_length > 0 && config->key[config->key_length - 1] == '/';

    if (config->key && strcmp(config->scheme, "etcd") != 0 && strcmp(config->scheme, "etcds") != 0)
        return "key is for etcd alone";
    if (is_tree(config) && is_http(config))
        return "a tree cannot come over HTTP: form must be json or bytes";
    if (config->key && is_tree(config) && !prefix)
        return "a tree needs a key that ends with /";
    if (config->key && !is_tree(config) && prefix)
        return "form json and bytes need one key, which does not end with /";
    return NULL;
}

static const char *judge_access(const struct config *config)
{
    bool secret = config->password_file || config->token_file;

    if ((config->tls_ca || config->tls_cert || config->tls_key) && !config->tls)
        return "tls-ca, tls-cert and tls-key need etcds:// or https://";
    if (!config->tls_cert != !config->tls_key)
        return "tls-cert and tls-key need each other";
    if (!config->user != !config->password_file)
        return "user and password-file need each other";
    if (config->token_file && (!is_http(config) || config->user))
        return "token-file is for HTTP, and instead of user";
    if (secret && config->endpoint_count == 0)
        return "a file needs no password and no token";
    if (secret && !config->tls && !config_url_is_loopback(config))
        return "a password or token may cross the network only with etcds:// or https://";
    return NULL;
}

static const char *judge_rest(const struct config *config)
{
    if (config->share[0] != '/' && strchr(config->share, '/'))
        return "share must be a path that begins with /, or a name without a slash";
    if (config->interval && config->interval < LOOP_SECOND)
        return "interval must be at least 1s";
    if (config->check_within <= 0 || config->stale <= 0 || config->stale > UINT32_MAX * LOOP_MILLISECOND)
        return "check-within and stale must be more than 0, and stale less than 49 days";
    return NULL;
}

static char *identity_of(const struct config *config)
{
    char *identity, *key = NULL;

    if (config->key)
        key = curl_easy_escape(NULL, config->key, (int)config->key_length);
    if (asprintf(&identity, "%s:%s", config->scheme, key ? key : config->path) < 0)
        identity = NULL;
    curl_free(key);
    return identity;
}

static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    size_t length = strlen(base);

    if (length > 5 && strcmp(base + length - 5, ".conf") == 0)
        length -= 5;
    return strndup(base, length);
}

/* What depends on the kind of source. */
static void set_defaults(struct config *config)
{
    if (is_http(config) && config->interval == 0)
        config->interval = 30 * LOOP_SECOND;
    if (config->stale < 0) /* not given */
        config->stale = is_http(config) ? 3 * config->interval : 30 * LOOP_SECOND;
}

static const char *judge(const struct config *config)
{
    const char *wrong = judge_form(config);

    if (!wrong)
        wrong = judge_access(config);
    return wrong ? wrong : judge_rest(config);
}

static void complete(struct reading *reading)
{
    struct config *config = reading->config;
    const char *wrong = NULL;

    for (unsigned i = 0; i < SETTINGS; i++)
        if (settings[i].needed && !reading->given[i])
            fault(reading, 0, "%s is missing", settings[i].name);
    if (reading->failed)
        return;
    wrong = config_url_take(config, reading->source);
    if (!wrong && config->interval != 0)
        wrong = is_http(config) ? NULL : "interval is for HTTP alone";
    if (!wrong) {
        set_defaults(config);
        wrong = judge(config);
    }
    if (wrong) {
        fault(reading, 0, "%s", wrong);
        return;
    }
    config->name = name_of(reading->path);
    config->identity = identity_of(config);
    if (!config->name || !config->identity)
        fault(reading, 0, "there is no memory left");
}

int config_read(struct config *config, const char *path, FILE *errors)
{
    struct reading reading = {.config = config, .path = path, .errors = errors};
    int error;

    *config = (struct config){.mode = 0644,
                              .max_size = 256 * 1024,
                              .max_depth = 16,
                              .max_shrink = 50,
                              .check_within = 5 * LOOP_SECOND,
                              .stale = -1};
    error = read_lines(&reading);
    if (!error)
        complete(&reading);
    if (!reading.failed && !error && config->check) {
        int fd = safe_open(config->check[0], O_RDONLY, errors);

        error = fd < 0 ? fd : 0;
        if (fd >= 0)
            close(fd);
    }
    free(reading.source);
    return reading.failed ? -EINVAL : error;
}

void config_release(struct config *config)
{
    char **texts[] = {&config->name,          &config->scheme,    &config->path,    &config->key,
                      &config->identity,      &config->share,     &config->state,   &config->metrics,
                      &config->tls_ca,        &config->tls_cert,  &config->tls_key, &config->user,
                      &config->password_file, &config->token_file};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(*texts[i]);
    for (size_t i = 0; i < config->endpoint_count; i++)
        free(config->endpoints[i].host);
    free(config->endpoints);
    if (config->check)
        free(config->check[0]); /* all words lie in one block */
    free(config->check);
    *config = (struct config){0};
}

size_t config_gather_limit(const struct config *config)
{
    const size_t more = 4 * 1024 * 1024;

    return config->max_size > (SIZE_MAX - more) / 4 ? SIZE_MAX : 4 * config->max_size + more;
}
