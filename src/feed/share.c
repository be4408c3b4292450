/* SPDX-License-Identifier: MIT */
/* Keeps the two shares, through the public library alone. */
#include "share.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <seqshare/json.h>

#include "safe.h"

static int say(FILE *errors, const char *name, const char *why, int error)
{
    fprintf(errors, "%s: %s\n", name, why);
    return error;
}

/* ---- where it lies --------------------------------------------------------------------------- */

static char *path_of(const char *name)
{
    char *path;

    return asprintf(&path, "%s%s", strchr(name, '/') ? "" : "/dev/shm/seqshare.", name) < 0 ? NULL : path;
}

/* On a disk each publication would be written out, and a reboot would leave a region of another boot. */
static int judge_folder(const char *name, FILE *errors)
{
    char *path = path_of(name), *slash = path ? strrchr(path, '/') : NULL;
    struct statfs system;
    int error = 0;

    if (!path)
        return -ENOMEM;
    slash[slash == path] = 0;
    if (statfs(path, &system) != 0)
        error = say(errors, path, strerror(errno), -errno);
    else if (system.f_type != TMPFS_MAGIC && system.f_type != RAMFS_MAGIC)
        error = say(errors, path, "the share must lie on a tmpfs, such as /run or /dev/shm", -EINVAL);
    free(path);
    return error;
}

/* The file of a name: 0 and what it is, or -ENOENT. */
static int look(const char *name, struct stat *status)
{
    char *path = path_of(name);
    int error = !path ? -ENOMEM : lstat(path, status) == 0 ? 0 : -errno;

    free(path);
    return error;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Must the region be made again? */
static bool must_replace(const seqshare *share, const struct stat *status, size_t capacity, mode_t mode)
{
    struct seqshare_stat stat;

    return seqshare_capacity(share) < capacity || (status->st_mode & 07777) != mode ||
           seqshare_pstat(share, &stat) != 0 || stat.foreign || stat.retired;
}

/* seqshare_replace waits for the lock; we do not. */
static bool is_held(seqshare *share)
{
    int error = seqshare_trylock(share);

    if (error >= 0)
        seqshare_unlock(share);
    return error == -EBUSY;
}

static int explain(const char *name, int error, FILE *errors)
{
    if (error == -EBADMSG)
        return say(errors, name, "the file is not a share, or a damaged one: remove it", error);
    if (error == -EMSGSIZE)
        return say(errors, name, "the current value is longer than max-size", error);
    if (error && error != -EBUSY)
        return say(errors, name, seqshare_strerror(error), error);
    return error;
}

static int replace(seqshare **share, const char *name, size_t capacity, mode_t mode, FILE *errors)
{
    return explain(name, seqshare_replace(share, name, capacity, mode), errors);
}

static int open_one(seqshare **share, const char *name, size_t capacity, mode_t mode, FILE *errors)
{
    struct stat status;
    seqshare *old;
    int error = look(name, &status);

    if (error == -ENOENT)
        return replace(share, name, capacity, mode, errors);
    if (error)
        return say(errors, name, strerror(-error), error);
    if (!S_ISREG(status.st_mode))
        return say(errors, name, "it is not a share: there is something else, or a link, of that name",
                   -EPERM);
    if (status.st_uid != geteuid())
        return say(errors, name, "it belongs to another user", -EPERM);
    error = seqshare_open(&old, name, SEQSHARE_WRITE);
    if (error)
        return explain(name, error, errors);
    if (!must_replace(old, &status, capacity, mode)) {
        *share = old;
        return 0;
    }
    error = is_held(old) ? -EBUSY : 0;
    seqshare_close(old);
    return error ? error : replace(share, name, capacity, mode, errors);
}

static bool is_same_file(int one, int other)
{
    struct stat first, second;

    return one >= 0 && other >= 0 && fstat(one, &first) == 0 && fstat(other, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* A lock on the file that has the name now. -EEXIST another agent has it. */
static int lock_state(struct share *share)
{
    char *path = path_of(share->state_name);
    int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) : -1, error = 0;

    if (fd < 0)
        error = path ? -errno : -ENOMEM;
    else if (!is_same_file(fd, share->lock))
        error = safe_lock(fd);
    if (error == -EWOULDBLOCK) /* only another agent keeps this one out, not a reader */
        error = safe_lock_is_ours(fd) ? -EEXIST : 0;
    free(path);
    if (error || is_same_file(fd, share->lock)) {
        if (fd >= 0)
            close(fd);
        return error == -ENOENT ? 0 : error;
    }
    if (share->lock >= 0)
        close(share->lock);
    share->lock = fd;
    return 0;
}

static int open_state(struct share *share, FILE *errors)
{
    mode_t mode = share->config->mode & (mode_t)~022;
    int error = lock_state(share); /* of a file that may be replaced now ... */

    if (!error)
        error = open_one(&share->state, share->state_name, sizeof(struct seqshare_feed_1), mode, errors);
    if (!error)
        error = lock_state(share); /* ... and of the one that is there then */
    return error == -EEXIST ? say(errors, share->state_name, "another agent keeps this share", error) : error;
}

int share_open(struct share *share, const struct config *config, FILE *errors)
{
    int error = judge_folder(config->share, errors);

    *share = (struct share){.config = config, .lock = -1};
    if (!error && asprintf(&share->state_name, "%s.feed", config->share) < 0) {
        share->state_name = NULL;
        error = -ENOMEM;
    }
    if (!error)
        error = open_state(share, errors);
    if (!error)
        error = open_one(&share->value, config->share, config->max_size, config->mode, errors);
    if (error)
        share_close(share);
    return error;
}

void share_close(struct share *share)
{
    seqshare_close(share->value);
    seqshare_close(share->state);
    if (share->lock >= 0)
        close(share->lock);
    free(share->state_name);
    *share = (struct share){.config = share->config, .lock = -1};
}

int share_renew(struct share *share, FILE *errors)
{
    seqshare *anew;
    int error = open_one(&anew, share->config->share, share->config->max_size, share->config->mode, errors);

    if (error)
        return error;
    seqshare_close(share->value);
    share->value = anew;
    return 0;
}

bool share_stands(const struct share *share)
{
    return !seqshare_retired(share->value) && seqshare_named(share->value) != 0;
}

/* ---- the value ------------------------------------------------------------------------------- */

static int set_if(struct share *share, const struct document *document, uint64_t *version)
{
    char why[SEQSHARE_JSON_WHY_SIZE];

    if (share->config->form == CONFIG_BYTES)
        return seqshare_set_if(share->value, version, document->bytes, document->length);
    return seqshare_json_publish_if(share->value, version, document->bytes, document->length, why);
}

int share_publish(struct share *share, const struct document *document, uint64_t *version)
{
    int error = seqshare_trylock(share->value);

    if (error < 0)
        return error;
    error = set_if(share, document, version);
    seqshare_unlock(share->value);
    return error;
}

int share_read(const struct share *share, struct document *document, uint64_t *version)
{
    void *bytes;
    ssize_t length = seqshare_get_alloc(share->value, &bytes, version);
    int error;

    *document = (struct document){0};
    if (length < 0)
        return (int)length;
    error = document_make(document, bytes, (size_t)length);
    free(bytes);
    return error;
}

pid_t share_owner(const struct share *share)
{
    struct seqshare_stat stat;

    return seqshare_stat(share->value, &stat) == 0 ? stat.owner : 0;
}

/* ---- the state ------------------------------------------------------------------------------- */

int share_say(struct share *share, const struct seqshare_feed_1 *state)
{
    int error = seqshare_trylock(share->state);

    if (error == -EIDRM || (error >= 0 && seqshare_named(share->state) == 0)) {
        seqshare *anew;

        if (error >= 0)
            seqshare_unlock(share->state);
        error = open_one(&anew, share->state_name, sizeof *state, share->config->mode & (mode_t)~022, stderr);
        if (error)
            return error;
        seqshare_close(share->state);
        share->state = anew;
        lock_state(share);
        error = seqshare_trylock(share->state);
    }
    if (error < 0)
        return error;
    error = seqshare_feed_1_set(share->state, state);
    seqshare_unlock(share->state);
    return error;
}

int share_state_of(const struct config *config, struct seqshare_feed_1 *state)
{
    seqshare *share;
    char *name;
    int error;

    if (asprintf(&name, "%s.feed", config->share) < 0)
        return -ENOMEM;
    error = seqshare_open(&share, name, SEQSHARE_READ | SEQSHARE_ANY_OWNER);
    free(name);
    if (error)
        return error;
    error = seqshare_feed_1_get(share, state);
    seqshare_close(share);
    return error;
}

ssize_t share_length_of(const struct config *config)
{
    seqshare *share;
    int error = seqshare_open(&share, config->share, SEQSHARE_READ | SEQSHARE_ANY_OWNER);
    ssize_t length;

    if (error)
        return error;
    length = seqshare_length(share, NULL);
    seqshare_close(share);
    return length;
}
