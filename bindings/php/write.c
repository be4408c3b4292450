/* SPDX-License-Identifier: MIT */
/*
 * Writing through an object of Seqshare\Share, and waiting for the lock: in slices, so that signal handlers and time
 * limits of PHP have their turn.
 */
#include "php_seqshare.h"

#include <errno.h>
#include <zend_exceptions.h>

static const int64_t SLICE = INT64_C(100000000);

bool waiting_may_go_on(void)
{
    if (!zend_atomic_bool_load_ex(&EG(vm_interrupt)))
        return true;
    /* As PHP does between two steps of a script. */
    zend_atomic_bool_store_ex(&EG(vm_interrupt), false);
    if (zend_atomic_bool_load_ex(&EG(timed_out)))
        zend_timeout();
    if (zend_interrupt_function)
        zend_interrupt_function(EG(current_execute_data));
    return !EG(exception);
}

bool timeout_to_ns(bool is_null, double seconds, int64_t *ns)
{
    *ns = -1;
    if (is_null)
        return true;
    if (!(seconds >= 0)) {
        zend_value_error("A timeout must be a number of seconds from 0, or null");
        return false;
    }
    if (seconds < 9e9) /* longer is for ever */
        *ns = (int64_t)(seconds * (double)SECOND);
    return true;
}

/* ---- the lock ---------------------------------------------------------------------------------- */

static int open_writer(struct share_object *share)
{
    seqshare *found;
    int error = seqshare_open(&found, share->path, SEQSHARE_WRITE | share->access);

    if (error)
        return error;
    seqshare_close(share->writer);
    share->writer = found;
    share->follower.next_check = 0;
    follower_follow(&share->follower); /* who writes there reads there */
    served_look_again(true);
    return 0;
}

static int lock_in_slices(seqshare *writer, int64_t ns)
{
    int result = seqshare_trylock(writer);

    while (result == -EBUSY || (result == -ETIMEDOUT && ns != 0)) {
        const int64_t slice = ns >= 0 && ns < SLICE ? ns : SLICE;

        result = seqshare_lock_for(writer, slice);
        if (!waiting_may_go_on()) {
            if (result >= 0)
                seqshare_unlock(writer);
            return -EINTR;
        }
        if (ns >= 0)
            ns -= slice;
    }
    return result;
}

/* A file that was swapped underneath the name has left no mark: so ask the name, under the lock. */
static int lock_by_name(struct share_object *share, int64_t ns)
{
    int result = lock_in_slices(share->writer, ns);

    if (result < 0 || !share->path || seqshare_named(share->writer) != 0)
        return result;
    seqshare_unlock(share->writer);
    return -EIDRM;
}

int write_lock(struct share_object *share, int64_t ns)
{
    int result = -EROFS, moved;

    if (!share->writer)
        return -EROFS;
    for (int tries = 0; tries < 100; tries++) {
        result = lock_by_name(share, ns);
        if (result != -EIDRM || !share->path)
            return result;
        moved = open_writer(share);
        if (moved == -ENOENT) /* the name leads nowhere: the share stays what it is */
            return lock_in_slices(share->writer, ns);
        if (moved < 0)
            return moved;
    }
    return result;
}

/* ---- publishing -------------------------------------------------------------------------------- */

static int publish(seqshare *writer, const char *bytes, size_t length, uint32_t tag, uint64_t *version)
{
    served_look_again(false);
    if (version)
        return seqshare_set_if_typed(writer, version, bytes, length, tag);
    return seqshare_set_typed(writer, bytes, length, tag);
}

int write_publish(struct share_object *share, const char *bytes, size_t length, uint32_t tag,
                  uint64_t *version)
{
    int error, locked = write_lock(share, -1);

    if (locked == -EDEADLK) /* this process has the lock already */
        return publish(share->writer, bytes, length, tag, version);
    if (locked < 0)
        return locked;
    error = publish(share->writer, bytes, length, tag, version);
    seqshare_unlock(share->writer);
    return error;
}

bool write_publish_text(struct share_object *share, zend_string *json, uint64_t *version, int *error)
{
    char why[SEQSHARE_JSON_WHY_SIZE];

    *error = seqshare_json_check(ZSTR_VAL(json), ZSTR_LEN(json), why);
    if (*error) {
        zend_throw_exception_ex(exception_class, EBADMSG, "%s", why);
        return false;
    }
    *error = write_publish(share, ZSTR_VAL(json), ZSTR_LEN(json), SEQSHARE_TAG_JSON, version);
    if (*error == 0 || (version && *error == -ESTALE))
        return true;
    share_throw(share, *error);
    return false;
}

bool write_publish_value(struct share_object *share, zval *value, uint64_t *version, int *error)
{
    zend_string *json = encode_value(value);
    bool done;

    if (!json)
        return false;
    done = write_publish_text(share, json, version, error);
    zend_string_release(json);
    return done;
}
