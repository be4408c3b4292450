/* SPDX-License-Identifier: MIT */
/* The state folder: its files, and how they are written so that a kill or a power failure harms none. */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safe.h"
#include "words.h"

/* ---- the folder ------------------------------------------------------------------------------ */

static int say(FILE *errors, const char *path, const char *why, int error)
{
    fprintf(errors, "%s: %s\n", path, why);
    return error;
}

static const char foreign[] = "the state folder belongs to another user";

/* The folder is this user's, and nobody else's. */
static int judge_folder(struct state *state, FILE *errors)
{
    struct stat status;

    if (fstat(state->folder, &status) != 0)
        return -errno;
    if (status.st_uid != geteuid())
        return say(errors, state->config->state, foreign, -EPERM);
    if (status.st_mode & 077)
        return say(errors, state->config->state, "others may look into the state folder: chmod 700", -EPERM);
    return 0;
}

/* Files are made and removed in it by their path, which a link would lead elsewhere. */
static int judge_history(const struct state *state, FILE *errors)
{
    struct stat status;

    if (fstatat(state->folder, "history", &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(status.st_mode))
        return say(errors, state->config->state, "its history is not a folder (or a symbolic link)", -ELOOP);
    return 0;
}

int state_open(struct state *state, const struct config *config, bool make, FILE *errors)
{
    struct stat status;
    int error;

    *state = (struct state){.config = config, .folder = -1, .lock = -1};
    if (make && mkdir(config->state, 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
        return say(errors, config->state, strerror(errno), -errno);
    state->folder = open(config->state, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (state->folder < 0) {
        error = errno == ENOTDIR ? -ELOOP : -errno;
        if (error == -EACCES && stat(config->state, &status) == 0 && status.st_uid != geteuid())
            error = -EPERM;
        return say(errors, config->state,
                   error == -EPERM   ? foreign
                   : error == -ELOOP ? "the state folder is not a folder (or a symbolic link)"
                                     : strerror(-error),
                   error);
    }
    error = judge_folder(state, errors);
    if (!error && make)
        mkdirat(state->folder, "history", 0700); /* where it cannot be made, there is none */
    if (!error)
        error = judge_history(state, errors);
    if (error)
        state_close(state);
    return error;
}

void state_close(struct state *state)
{
    if (state->lock >= 0)
        close(state->lock);
    if (state->folder >= 0)
        close(state->folder);
    state->folder = state->lock = -1;
}

int state_lock(struct state *state)
{
    int error;

    state->lock = openat(state->folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (state->lock < 0)
        state->lock = openat(state->folder, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (state->lock < 0)
        return errno == ELOOP ? -ELOOP : 0;
    error = safe_lock(state->lock);
    return error == -EWOULDBLOCK ? -EBUSY : error;
}

int state_is_locked(const struct state *state)
{
    int fd = openat(state->folder, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK), result;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    result = flock(fd, LOCK_SH | LOCK_NB) == 0 ? 0 : errno == EWOULDBLOCK ? 1 : -errno;
    close(fd);
    return result;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int write_all(int fd, const char *text, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, text, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -errno;
        text += written;
        length -= (size_t)written;
    }
    return 0;
}

int state_create(const struct state *state, const char *name)
{
    int fd;

    if (unlinkat(state->folder, name, 0) != 0 && errno != ENOENT)
        return -errno;
    fd = openat(state->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

/* All of a file, at most `most` bytes, from malloc. */
static ssize_t read_file(const struct state *state, const char *name, size_t most, char **text)
{
    int fd = openat(state->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;
    size_t got = 0, size;
    ssize_t more = 1;

    *text = NULL;
    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
        status.st_size < 0 || (uint64_t)status.st_size > most) {
        close(fd);
        return -EBADMSG;
    }
    size = (size_t)status.st_size;
    *text = malloc(size + 1);
    while (*text && got < size && more > 0) {
        more = read(fd, *text + got, size - got);
        got += more > 0 ? (size_t)more : 0;
    }
    close(fd);
    if (!*text || more < 0) {
        free(*text);
        *text = NULL;
        return -EIO;
    }
    (*text)[got] = 0;
    return (ssize_t)got;
}

int state_put(const struct state *state, const char *name, const char *text, size_t length, bool sync)
{
    char temporary[STATE_NAME];
    int fd, error;

    snprintf(temporary, sizeof temporary, "%s.new", name);
    fd = state_create(state, temporary);
    if (fd < 0)
        return fd;
    error = write_all(fd, text, length);
    if (!error && sync && fsync(fd) != 0)
        error = -errno;
    close(fd);
    if (!error && renameat(state->folder, temporary, state->folder, name) != 0)
        error = -errno;
    if (!error && sync && fsync(state->folder) != 0)
        error = -errno;
    if (error)
        unlinkat(state->folder, temporary, 0);
    return error;
}

ssize_t state_get(const struct state *state, const char *name, char *text, size_t room)
{
    char *all;
    ssize_t length = read_file(state, name, room - 1, &all);

    if (length >= 0)
        memcpy(text, all, (size_t)length + 1);
    free(all);
    return length;
}

int state_remove(const struct state *state, const char *name)
{
    return unlinkat(state->folder, name, 0) == 0 || errno == ENOENT ? 0 : -errno;
}

/* ---- documents: the header ------------------------------------------------------------------- */

static const char magic[] = "seqshare-feed 1\n";
static const char *const form_names[] = {"json-tree", "text-tree", "json", "bytes"};

enum { HEADER_MOST = 8192 };

static void hex(char text[2 * DOCUMENT_DIGEST + 1], const unsigned char digest[DOCUMENT_DIGEST])
{
    for (size_t i = 0; i < DOCUMENT_DIGEST; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static int header_of(const struct config *config, const struct document *document, char header[HEADER_MOST])
{
    char digest[2 * DOCUMENT_DIGEST + 1];
    int length;

    hex(digest, document->digest);
    length = snprintf(header, HEADER_MOST,
                      "%ssource %s\nform %s\nrevision %" PRIu64 "\nterm %" PRIu64 "\ntime %" PRId64
                      "\nlength %zu\nsha256 %s\n\n",
                      magic, config->identity, form_names[config->form], document->revision, document->term,
                      document->time, document->length, digest);
    return length < HEADER_MOST ? length : -ENAMETOOLONG;
}

/* The rest of a header line that begins with this word; the text goes on behind it. NULL: it is another one. */
static char *take_line(char **text, const char *word)
{
    size_t length = strlen(word);
    char *line = *text, *end = strchr(line, '\n');

    if (!end || strncmp(line, word, length) != 0 || line[length] != ' ')
        return NULL;
    *end = 0;
    *text = end + 1;
    return line + length + 1;
}

static bool take_number(char **text, const char *word, uint64_t *number)
{
    const char *line = take_line(text, word);

    return line && words_number(line, number);
}

struct header {
    uint64_t revision, term, time, length;
    const char *source, *form, *digest;
};

/* False: it is not a header. *text is after it then. */
static bool take_header(char **text, struct header *header)
{
    return (header->source = take_line(text, "source")) && (header->form = take_line(text, "form")) &&
           take_number(text, "revision", &header->revision) && take_number(text, "term", &header->term) &&
           take_number(text, "time", &header->time) && take_number(text, "length", &header->length) &&
           (header->digest = take_line(text, "sha256")) && **text == '\n' && (*text)++ != NULL;
}

static int refuse(char why[STATE_WHY], const char *sentence)
{
    snprintf(why, STATE_WHY, "%s", sentence);
    return -EBADMSG;
}

/* Of a header that was cut out of the file, `bytes` being behind it. */
static int judge(const struct config *config, const struct header *header, const char *bytes, size_t length,
                 struct document *document, char why[STATE_WHY])
{
    char digest[2 * DOCUMENT_DIGEST + 1];

    if (strcmp(header->source, config->identity) != 0)
        return refuse(why, "it is of another source");
    if (strcmp(header->form, form_names[config->form]) != 0)
        return refuse(why, "it is of another form");
    if (header->length != length)
        return refuse(why, "it is cut short, or too long");
    if (document_make(document, bytes, length) != 0)
        return refuse(why, "there is no memory left for it");
    hex(digest, document->digest);
    if (strcmp(header->digest, digest) != 0) {
        document_free(document);
        return refuse(why, "its bytes are not those that were saved");
    }
    document->revision = header->revision;
    document->term = header->term;
    document->time = header->time > INT64_MAX ? 0 : (int64_t)header->time;
    return 0;
}

int state_parse(const struct config *config, const char *text, size_t length, struct document *document,
                char why[STATE_WHY])
{
    size_t begin = sizeof magic - 1, size;
    char header_text[HEADER_MOST + 1], *at = header_text;
    struct header header;

    *document = (struct document){0};
    if (length < begin || memcmp(text, "seqshare-feed ", 14) != 0)
        return refuse(why, "it is not a saved document");
    if (memcmp(text, magic, begin) != 0)
        return refuse(why, "it is of a newer format");
    size = length - begin < HEADER_MOST ? length - begin : HEADER_MOST;
    memcpy(header_text, text + begin, size);
    header_text[size] = 0;
    if (!take_header(&at, &header))
        return refuse(why, "its header is damaged");
    begin += (size_t)(at - header_text);
    return judge(config, &header, text + begin, length - begin, document, why);
}

int state_read(const struct state *state, const char *name, struct document *document, char why[STATE_WHY])
{
    char *text;
    ssize_t length = read_file(state, name, config_gather_limit(state->config), &text);
    int error;

    *document = (struct document){0};
    if (length < 0) {
        snprintf(why, STATE_WHY, "%s",
                 length == -EBADMSG || length == -ELOOP ? "it is not a file of the agent's own, or too large"
                                                        : strerror((int)-length));
        return (int)length;
    }
    error = state_parse(state->config, text, (size_t)length, document, why);
    free(text);
    return error;
}

/* ---- documents: writing ---------------------------------------------------------------------- */

int state_write_next(const struct state *state, const struct document *document)
{
    char header[HEADER_MOST];
    int length = header_of(state->config, document, header), fd, error;

    if (length < 0)
        return length;
    fd = state_create(state, "next");
    if (fd < 0)
        return fd;
    error = write_all(fd, header, (size_t)length);
    if (!error)
        error = write_all(fd, document->bytes, document->length);
    close(fd);
    return error;
}

static int sync_file(const struct state *state, const char *name)
{
    int fd = openat(state->folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), error;

    if (fd < 0)
        return -errno;
    error = fsync(fd) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

/* The oldest go. */
static void prune_history(const struct state *state)
{
    struct state_entry entries[STATE_HISTORY + 1];

    while (state_history(state, entries) > STATE_HISTORY)
        if (unlinkat(state->folder, entries[STATE_HISTORY].name, 0) != 0)
            return;
}

/* One file with two names: so it takes no room of its own while it is current. */
static int add_to_history(const struct state *state, const struct document *document)
{
    char name[STATE_NAME];

    snprintf(name, sizeof name, "history/%" PRIu64, document->revision);
    if (unlinkat(state->folder, name, 0) != 0 && errno != ENOENT)
        return -errno;
    return linkat(state->folder, "next", state->folder, name, 0) == 0 ? 0 : -errno;
}

int state_keep_next(const struct state *state, const struct document *document)
{
    int error = sync_file(state, "next"), history;

    if (error)
        return error;
    history = add_to_history(state, document);
    if (renameat(state->folder, "next", state->folder, "current") != 0 || fsync(state->folder) != 0)
        return -errno;
    prune_history(state);
    return history;
}

/* ---- the history ----------------------------------------------------------------------------- */

static bool read_entry(const struct state *state, const char *base, struct state_entry *entry)
{
    struct document document;
    char why[STATE_WHY];
    uint64_t number;

    if (!words_number(base, &number) || strlen(base) > 20)
        return false;
    snprintf(entry->name, sizeof entry->name, "history/%" PRIu64, number);
    if (state_read(state, entry->name, &document, why) != 0)
        return false;
    entry->revision = document.revision;
    entry->time = document.time;
    entry->length = document.length;
    memcpy(entry->digest, document.digest, sizeof entry->digest);
    document_free(&document);
    return true;
}

/* Into its place by time; what falls off the end was the oldest. */
static size_t sort_in(struct state_entry *entries, size_t count, const struct state_entry *entry)
{
    size_t at = 0;

    while (at < count && entries[at].time >= entry->time)
        at++;
    if (at > STATE_HISTORY)
        return count;
    if (count > STATE_HISTORY)
        count = STATE_HISTORY;
    memmove(&entries[at + 1], &entries[at], (count - at) * sizeof *entries);
    entries[at] = *entry;
    return count + 1;
}

size_t state_history(const struct state *state, struct state_entry entries[STATE_HISTORY + 1])
{
    int fd = openat(state->folder, "history", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    struct state_entry entry;
    struct dirent *file;
    size_t count = 0;

    if (!folder) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while ((file = readdir(folder)))
        if (read_entry(state, file->d_name, &entry))
            count = sort_in(entries, count, &entry);
    closedir(folder);
    return count;
}

/* ---- keys ------------------------------------------------------------------------------------ */

enum { KEYS_MOST = 64 * 1024 * 1024 };

/* Names are UTF-8 without zero bytes, for a document was made of them. */
int state_write_keys(const struct state *state, const struct keys *keys, bool sync)
{
    json_object *all = json_object_new_object(), *each = json_object_new_object();
    size_t length;
    const char *text;
    int error;

    json_object_object_add(all, "revision", json_object_new_uint64(keys->revision));
    json_object_object_add(all, "term", json_object_new_uint64(keys->term));
    for (size_t i = 0; i < keys->count; i++)
        json_object_object_add(each, keys->list[i].name, json_object_new_uint64(keys->list[i].changed));
    json_object_object_add(all, "keys", each);
    text = json_object_to_json_string_length(all, JSON_C_TO_STRING_PLAIN, &length);
    error = text ? state_put(state, "keys", text, length, sync) : -ENOMEM;
    json_object_put(all);
    return error;
}

static uint64_t number_in(json_object *object, const char *name)
{
    json_object *value;

    return json_object_object_get_ex(object, name, &value) && json_object_is_type(value, json_type_int)
               ? json_object_get_uint64(value)
               : 0;
}

static struct keys *keys_from(json_object *all)
{
    struct keys *keys = keys_new(SIZE_MAX);
    json_object *each;

    if (!keys || !json_object_object_get_ex(all, "keys", &each) ||
        !json_object_is_type(each, json_type_object)) {
        keys_free(keys);
        return NULL;
    }
    keys->revision = number_in(all, "revision");
    keys->term = number_in(all, "term");
    json_object_object_foreach(each, name, changed)
    {
        if (keys_put(keys, name, strlen(name), "", 0, json_object_get_uint64(changed)) != 0) {
            keys_free(keys);
            return NULL;
        }
    }
    return keys;
}

struct keys *state_read_keys(const struct state *state)
{
    struct json_tokener *tokener = json_tokener_new();
    struct keys *keys = NULL;
    json_object *all = NULL;
    char *text = NULL;
    ssize_t length = read_file(state, "keys", KEYS_MOST, &text);

    if (tokener && length > 0)
        all = json_tokener_parse_ex(tokener, text, (int)length);
    if (json_object_is_type(all, json_type_object))
        keys = keys_from(all);
    json_object_put(all);
    if (tokener)
        json_tokener_free(tokener);
    free(text);
    return keys;
}
