/* SPDX-License-Identifier: MIT */
/*
 * Files as a source: one file, or the files of a directory, each of them a key. Editors and Kubernetes replace files and
 * do not write them, so it is the directory that is watched, and the link ..data in it, and a look every five seconds
 * finds what inotify did not tell.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source.h"

struct file_source {
    struct source base;
    char *folder, *name; /* of one file: its folder, and its name there; of a directory: that, and NULL */
    int notify;
    struct loop_watch watch;
    struct loop_timer settle, report;
    bool following;
    uint64_t seen; /* a sum over what was there at the last look: names, inodes, sizes, times */
    bool any_seen;
};

static struct file_source *own(struct source *source)
{
    return (struct file_source *)source;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* One file of an open directory: 0; -ENOENT it is not there, or no regular file. */
static int read_file(int folder, const char *name, const char *key, struct keys *keys)
{
    int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), error = 0;
    struct stat status;
    size_t got = 0, size;
    char *bytes;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return -ENOENT;
    }
    size =
        status.st_size < 0 || (uint64_t)status.st_size > keys->limit ? keys->limit : (size_t)status.st_size;
    bytes = malloc(size + 1);
    while (bytes && got <= size) { /* a byte more than it should have shows that it grows */
        ssize_t more = read(fd, bytes + got, size + 1 - got);

        if (more < 0 && errno == EINTR)
            continue;
        if (more < 0)
            error = -errno;
        if (more <= 0)
            break;
        got += (size_t)more;
    }
    close(fd);
    if (!bytes)
        error = -ENOMEM;
    else if (!error && got > size)
        error = size == keys->limit ? -EFBIG : -EAGAIN;
    if (!error)
        error = keys_put(keys, key, strlen(key), bytes, got, 0);
    free(bytes);
    return error;
}

/* Editors and Kubernetes use other names for themselves. */
static bool is_value(const char *name)
{
    return name[0] != '.' && name[strlen(name) - 1] != '~';
}

/* A directory of which all files are read through one descriptor: of a ConfigMap, that which ..data led to when it was
 * opened, so that all are of one revision. */
static int read_folder(const char *path, struct keys *keys)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), inner, error = 0;
    struct dirent *file;
    DIR *folder;

    if (fd < 0)
        return -errno;
    inner = openat(fd, "..data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (inner >= 0) {
        close(fd);
        fd = inner;
    }
    folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return -ENOMEM;
    }
    while (!error && (file = readdir(folder)))
        if (is_value(file->d_name)) {
            error = read_file(fd, file->d_name, file->d_name, keys);
            if (error == -ENOENT ||
                error == -ELOOP) /* removed meanwhile, a folder, or a link that leads nowhere */
                error = 0;
        }
    closedir(folder);
    return error;
}

static int read_one(const char *path, const char *name, struct keys *keys)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;

    if (folder < 0)
        return -errno;
    error = read_file(folder, name, "", keys);
    close(folder);
    return error == -ENOENT ? 0 : error; /* no key */
}

/* ---- has anything changed? ------------------------------------------------------------------- */

static uint64_t mix(uint64_t sum, uint64_t number)
{
    return (sum ^ number) * UINT64_C(0x100000001b3);
}

static uint64_t mark_of(int folder, const char *name)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    struct stat status;

    for (const char *at = name; *at; at++)
        sum = mix(sum, (unsigned char)*at);
    if (fstatat(folder, name, &status, 0) != 0)
        return sum;
    sum = mix(sum, status.st_ino);
    sum = mix(sum, (uint64_t)status.st_size);
    sum = mix(sum, (uint64_t)status.st_mtim.tv_sec);
    sum = mix(sum, (uint64_t)status.st_mtim.tv_nsec);
    sum = mix(sum, (uint64_t)status.st_ctim.tv_sec);
    return mix(sum, (uint64_t)status.st_ctim.tv_nsec);
}

/* The sum over all files, in whatever order. */
static uint64_t look(const struct file_source *file)
{
    int fd = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent *entry;
    uint64_t sum = 1;
    DIR *folder;

    if (fd < 0)
        return 0;
    if (file->name) {
        sum = mark_of(fd, file->name);
        close(fd);
        return sum;
    }
    folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return 0;
    }
    while ((entry = readdir(folder)))
        if (is_value(entry->d_name) || strcmp(entry->d_name, "..data") == 0)
            sum += mark_of(fd, entry->d_name);
    closedir(folder);
    return sum;
}

/* ---- watching -------------------------------------------------------------------------------- */

static const uint32_t interesting = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                    IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_MODIFY;

/* The watch is of a directory, which may have gone and come again: adding it once more costs nothing. */
static void watch_folder(struct file_source *file)
{
    if (file->notify >= 0)
        inotify_add_watch(file->notify, file->folder, interesting);
}

static void report_all(struct file_source *file)
{
    struct keys *keys = keys_new(config_gather_limit(file->base.config));
    uint64_t seen = look(file); /* before it is read: what changes meanwhile is found by the next look */
    int error = -ENOMEM;

    if (keys)
        error = file->name ? read_one(file->folder, file->name, keys) : read_folder(file->folder, keys);
    if (error == -EAGAIN && keys) { /* it is being written */
        keys_free(keys);
        loop_after(file->base.loop, &file->settle, 50 * LOOP_MILLISECOND);
        return;
    }
    if (error) {
        keys_free(keys);
        file->following = false;
        loop_cancel(file->base.loop, &file->settle);
        loop_cancel(file->base.loop, &file->report);
        source_away(&file->base, 0, "%s cannot be read: %s", file->base.config->path,
                    error == -EFBIG ? "it is too large" : strerror(-error));
        return;
    }
    file->seen = seen;
    file->any_seen = true;
    for (size_t i = 0; i < keys->count; i++)
        file->base.counts.received_bytes += keys->list[i].size;
    source_listed(&file->base, keys);
}

static void settled(void *context)
{
    report_all(context);
}

/* Something happens there: it is read when nothing has happened for 50 ms. */
static void notified(void *context, short events)
{
    struct file_source *file = context;
    char buffer[4096];
    bool any = false;

    (void)events;
    while (read(file->notify, buffer, sizeof buffer) > 0)
        any = true;
    if (any && file->following)
        loop_after(file->base.loop, &file->settle, 50 * LOOP_MILLISECOND);
}

/* ---- as a source ----------------------------------------------------------------------------- */

/* The look that the agent asks for. */
static void look_again(void *context)
{
    struct file_source *file = context;
    uint64_t seen;

    watch_folder(file);
    seen = look(file);
    if (file->settle.set)
        source_contact(&file->base);
    else if (seen != 0 && file->any_seen && seen == file->seen)
        source_proven(&file->base, 0, 0);
    else
        report_all(file);
}

static int split(struct file_source *file, const char *path)
{
    const char *slash = strrchr(path, '/');
    const bool tree =
        file->base.config->form == CONFIG_JSON_TREE || file->base.config->form == CONFIG_TEXT_TREE;

    if (tree) {
        file->folder = strdup(path);
        return file->folder ? 0 : -ENOMEM;
    }
    if (!slash[1])
        return -EISDIR;
    file->folder = slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    file->name = strdup(slash + 1);
    return file->folder && file->name ? 0 : -ENOMEM;
}

static int open_file(struct source *source)
{
    struct file_source *file = own(source);
    int error = split(file, source->config->path);

    file->notify = -1;
    source->prove_every = 5 * LOOP_SECOND;
    source->prove_spread = 10;
    if (error) {
        source_away(source, 0, "%s: %s", source->config->path, strerror(-error));
        return -EINVAL;
    }
    file->settle = (struct loop_timer){.due = settled, .context = file};
    file->report = (struct loop_timer){.due = look_again, .context = file};
    file->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC); /* without it, the looks must do */
    if (file->notify >= 0) {
        file->watch =
            (struct loop_watch){.fd = file->notify, .events = POLLIN, .ready = notified, .context = file};
        loop_watch(source->loop, &file->watch);
    }
    return 0;
}

static void list_file(struct source *source)
{
    struct file_source *file = own(source);

    file->following = false;
    source->counts.connects++;
    watch_folder(file);
    loop_after(source->loop, &file->settle, 0);
}

static void follow_file(struct source *source)
{
    struct file_source *file = own(source);

    file->following = true;
    loop_after(source->loop, &file->report, 0); /* what came between list and now */
}

static void prove_file(struct source *source)
{
    loop_after(source->loop, &own(source)->report, 0);
}

static void close_file(struct source *source)
{
    struct file_source *file = own(source);

    loop_forget(source->loop, &file->watch);
    loop_cancel(source->loop, &file->settle);
    loop_cancel(source->loop, &file->report);
    if (file->notify >= 0)
        close(file->notify);
    free(file->folder);
    free(file->name);
}

static const char *const schemes[] = {"file", NULL};

const struct source_type source_file = {.schemes = schemes,
                                        .size = sizeof(struct file_source),
                                        .open = open_file,
                                        .list = list_file,
                                        .follow = follow_file,
                                        .prove = prove_file,
                                        .close = close_file};
