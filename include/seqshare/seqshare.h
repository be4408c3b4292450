/* SPDX-License-Identifier: MIT */
/*
 * seqshare: one value, shared between processes, for readers that look at it on every request.
 *
 *     seqshare *config;
 *     seqshare_new(&config, 1 << 20);                    before fork: anonymous, inherited by every worker
 *     seqshare_set(config, &limits, sizeof limits);      any process, any time
 *     seqshare_get(config, &mine, sizeof mine, NULL);    on every request: memcpy speed, takes no lock
 *
 * Words: a *share* is what a program holds; its shared memory is the *region*. A region carries one *value* (length
 * and bytes) at a time. Every *publication* of a value has a *version*: 1 for the first, one more each time, and 0
 * while nothing has been published. The *owner* is the thread that holds the writer lock.
 *
 * All functions:
 *
 *     make      seqshare_new             an anonymous share
 *               seqshare_new_slots       the same, with more slots
 *               seqshare_create          a named share
 *               seqshare_create_with     the same, with its first value
 *               seqshare_replace         a new region for a name, with the value of the old one
 *               seqshare_replace_with    the same, with another value
 *     find      seqshare_open            by name
 *               seqshare_attach          by descriptor
 *               seqshare_reader          a second handle of a share, to read
 *               seqshare_fd              a descriptor of a share
 *               seqshare_reopen          move a handle to the region that its name has now
 *               seqshare_named           does the name lead to this region?
 *               seqshare_retired         is seqshare_reopen worth a try?
 *     end       seqshare_close           let go of a handle
 *               seqshare_unlink          remove a name
 *               seqshare_drop_write      give up writing, for good
 *     read      seqshare_get             copy the value
 *               seqshare_try_get         the same, in one attempt
 *               seqshare_get_alloc       the same, into a new buffer
 *               seqshare_read            value, version, type tag and time of one publication
 *               seqshare_pread           the same, safe from files that are cut short
 *               seqshare_peek            look at the value where it is
 *               seqshare_valid           was that one whole value?
 *               seqshare_version         has anything changed?
 *               seqshare_pversion        the same, safe from files that are cut short
 *               seqshare_length          how long is the value?
 *               seqshare_capacity        how long can it be?
 *               seqshare_prefault        map header and value now
 *     write     seqshare_set             publish a value
 *               seqshare_set_if          the same, over one version only
 *               seqshare_fill            get the memory for a value
 *               seqshare_publish         publish what was filled in
 *               seqshare_abandon         forget it
 *     types     SEQSHARE_TYPE            a set and an inline get for a C type (typed.h)
 *               seqshare_set_typed       publish, with a type tag
 *               seqshare_set_if_typed    the same, over one version only
 *               seqshare_get_typed       copy a value of that type
 *               seqshare_tag             the tag of a type
 *     lock      seqshare_lock            take the writer lock
 *               seqshare_trylock         the same, without waiting
 *               seqshare_lock_for        the same, with a limit
 *               seqshare_unlock          give it back
 *     wait      seqshare_wait            sleep until somebody publishes
 *     inspect   seqshare_stat            sizes, times, owner of the lock
 *               seqshare_pstat           the same, safe from files that are cut short
 *               seqshare_strerror        an error as a sentence
 *
 * These rules hold unless a function says otherwise:
 *   - A function returns 0 (or a length, or 1 where said), or a negative errno value; seqshare_strerror() words it.
 *     After an error, nothing has changed. A NULL share, name, buffer or result is -EINVAL. Each function lists the
 *     errors to expect. If a system call fails in another way (-EIO, say), the function returns its errno.
 *   - Times are int64_t nanoseconds, relative; -1 waits for ever, any other negative time is -EINVAL.
 *   - Many threads may call any function at once, even with one handle, and so may parent and children after fork.
 *     But during reopen and close no other thread may use the handle, and during drop_write none may write. (Children
 *     of vfork, and of clone with CLONE_VM and without CLONE_THREAD, must not call in.)
 *   - seqshare_get, _try_get, _get_typed, _peek, _valid, _version, _length, _retired and _capacity are
 *     async-signal-safe and take no lock. A signal handler may also call what writes or locks (set to unlock), but
 *     gets -EBUSY when it interrupted a write of its own thread (publish: -EPERM; abandon: see there). It must call
 *     nothing else.
 *   - A thread that is cancelled (pthread_cancel) inside a function ends as if it had been killed there. The next
 *     writer takes over the lock that it owned; but memory and descriptors that the function had stay allocated and
 *     open. seqshare_wait, _reopen, _drop_write and _close are no cancellation points: a handle is as it was, moved,
 *     or closed.
 *   - Readers never write to the region: a read-only mapping is enough, and a killed reader harms nobody.
 *
 * The protocol is in protocol.h, the layout of the region in docs/format.md, the promises in docs/guarantees.md.
 */
#ifndef SEQSHARE_H
#define SEQSHARE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <seqshare/protocol.h>

#define SEQSHARE_VERSION_MAJOR 0
#define SEQSHARE_VERSION_MINOR 1
#define SEQSHARE_VERSION_PATCH 0

#if defined __GNUC__
#define SEQSHARE_API __attribute__((visibility("default")))
#else
#error "seqshare needs gcc or clang"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Where a slot is, and, atomic, how many of its bytes the file is known to have memory for. Private. */
struct seqshare_place {
    const unsigned char *bytes;
    size_t held;
};

/*
 * A share. Its members are private. But the inline functions below are compiled into your program and use them, so
 * these few stay as they are, in this order, as long as the library's SOVERSION does. More follow them.
 */
typedef struct seqshare {
    const struct seqshare_head *head;
    const unsigned char *bytes; /* of slot 0; slot k starts k * stride further */
    size_t stride;
    size_t capacity;
    unsigned mask;                                   /* slots - 1 */
    struct seqshare_place place[SEQSHARE_SLOTS_MAX]; /* since 0.2 */
} seqshare;

/* ---- access ---------------------------------------------------------------------------------- */

/* What a handle may do, or-ed together; for seqshare_open, _attach and _fd. */
enum {
    SEQSHARE_READ = 1,     /* a read-only mapping */
    SEQSHARE_WRITE = 2,    /* includes READ */
    SEQSHARE_ANY_OWNER = 4 /* trust a region that neither root nor this user owns (seqshare_open, _attach) */
};

/* ---- life cycle ------------------------------------------------------------------------------ */

/*
 * Make an anonymous share. Children inherit it over fork; other processes get it by its descriptor (seqshare_fd).
 * `capacity`, in bytes, is the most that a value may have. It is an upper bound and costs nothing: the region takes
 * memory as values need it. The share is the caller's: seqshare_close(). Errors:
 *   -EINVAL   the capacity is 0
 *   -ENOMEM   the capacity is more than can be mapped
 *   -EFBIG    the capacity is beyond RLIMIT_FSIZE
 *   -ENOSPC   there is no memory for the header
 *   -EMFILE, -ENFILE   too many open files
 *   -EIO      the system gives no random numbers
 */
SEQSHARE_API int seqshare_new(seqshare **share, size_t capacity);

/*
 * As seqshare_new, with 2, 4 or 8 slots: more slots for readers beside a writer that never pauses.
 * Errors: those of seqshare_new, and:
 *   -EINVAL   another number of slots
 */
SEQSHARE_API int seqshare_new_slots(seqshare **share, size_t capacity, unsigned slots);

/*
 * Make a named share, for writing. A name without a slash is the file `seqshare.NAME` in /dev/shm; a name with a slash
 * is a path as it is. `mode`: exactly these permission bits, whatever the umask. The name appears when the region is
 * complete, never before. Errors:
 *   -EEXIST   the name exists
 *   -EINVAL   the name or mode is bad, or the capacity is 0
 *   -ENAMETOOLONG   the name is too long
 *   -ENOMEM, -EFBIG, -ENOSPC, -EIO   as in seqshare_new
 *   -EOPNOTSUPP   the folder is on NFS, CIFS, 9p, FUSE or hugetlbfs
 *   -EACCES, -ENOENT, -EMFILE   and what else open(2) says of the folder and of a new file in it
 */
SEQSHARE_API int seqshare_create(seqshare **share, const char *name, size_t capacity, mode_t mode);

/*
 * Give a name a new region, or make the name. As seqshare_create; but if the name exists, the new region takes the
 * place of the old one in one step, and carries on its value, type tag and version, and its owner, group and ACL.
 *
 * seqshare_replace marks the old region: seqshare_retired() is true there, its waiters get -EIDRM, and so does every
 * later set, set_if, fill or lock on it (call seqshare_reopen, and try again). Reads go on. seqshare_replace waits for
 * the old region's lock, so that no publication is lost. If it may not lock (from another PID namespace, or boot), it
 * also takes along what an owner publishes meanwhile, if that owner unlocks within a second. If it may not write the
 * old region's file, that region stays unmarked.
 *
 * Errors: those of seqshare_create but for -EEXIST, those of seqshare_open about what has the name, and:
 *   -EMSGSIZE  the current value is longer than `capacity`
 *   -EPERM     this process may not give the new region the old one's owner, group or ACL
 *   -EBUSY     this thread is in the middle of its own set or fill on the old region
 *   -EAGAIN    other processes took the name a thousand times meanwhile, or writers outran the reading of a region
 *              that could not be locked
 */
SEQSHARE_API int seqshare_replace(seqshare **share, const char *name, size_t capacity, mode_t mode);

struct seqshare_reading; /* below */

/*
 * As seqshare_create, but the name appears with a value, or not at all. The value is that of *first: `length` bytes
 * of `bytes`, of type `tag`, as version 1. The other members do not matter; NULL: no value. Errors: those of
 * seqshare_create, and:
 *   -EMSGSIZE  the value is longer than `capacity`
 */
SEQSHARE_API int seqshare_create_with(seqshare **share, const char *name, size_t capacity, mode_t mode,
                                      const struct seqshare_reading *first);

/* What seqshare_replace_with may do besides, or-ed together. */
enum {
    SEQSHARE_KEEP_MODE = 1, /* the mode of the region that is replaced; `mode` only if the name is free */
    SEQSHARE_LOSE_OWNER = 2 /* go on if its owner, group or ACL cannot be given to the new one */
};

/*
 * As seqshare_replace, but the new region gets the name with another value: *first, as in seqshare_create_with, with
 * the version after the current one. NULL: the old value. `flags`: 0, or some of the above. Errors: those of
 * seqshare_replace, and:
 *   -EINVAL     bad flags
 *   -EOVERFLOW  after 2^63 - 2 versions
 */
SEQSHARE_API int seqshare_replace_with(seqshare **share, const char *name, size_t capacity, mode_t mode,
                                       const struct seqshare_reading *first, int flags);

/*
 * Open a named share. access: SEQSHARE_READ or SEQSHARE_WRITE, and SEQSHARE_ANY_OWNER if wanted. Errors:
 *   -ENOENT    there is no such name
 *   -EBADMSG   not a share, or a truncated or corrupt one
 *   -EPROTONOSUPPORT   a newer layout
 *   -ELOOP     the last part of the path is a symbolic link
 *   -EPERM     without SEQSHARE_ANY_OWNER: the name may be squatted. The file, or a folder or link on the way to it
 *              from the root, is in a folder that everybody may write to, and belongs neither to root nor to this
 *              user (or that cannot be known, where a user namespace has no such user)
 *   -EACCES    the permissions do not allow it
 *   -EROFS     WRITE on a file system that is mounted read-only
 *   -EINVAL    bad name or access
 *   -ENAMETOOLONG   the name is too long
 *   -EOPNOTSUPP     as in seqshare_create
 *   -ENOMEM    not enough memory or address space
 *   -EMFILE, -ENFILE   too many open files
 */
SEQSHARE_API int seqshare_open(seqshare **share, const char *name, int access);

/*
 * Attach to the region behind a descriptor (from seqshare_fd, inherited, or received over a Unix socket). The
 * descriptor stays the caller's (its file position may move) and may be closed afterwards. The share is the caller's
 * to close. Errors:
 *   -EBADF     the descriptor is not open
 *   -EBADMSG   not a share
 *   -EPROTONOSUPPORT   a newer layout
 *   -EACCES    WRITE with a read-only descriptor, READ with a write-only one, or WRITE of a memfd that is sealed
 *              against it
 *   -EPERM     without SEQSHARE_ANY_OWNER: the file is neither sealed against shrinking nor owned by root or this user
 *   -EINVAL    bad access
 *   -EOPNOTSUPP   as in seqshare_create
 *   -ENOMEM    not enough memory or address space
 *   -EMFILE    too many open files
 */
SEQSHARE_API int seqshare_attach(seqshare **share, int fd, int access);

/*
 * A new descriptor of the region, close-on-exec, the caller's to close. READ: opened read-only. It shares its file
 * position with the library's own, which readers move: use pread(2), not read(2). Errors:
 *   -EROFS     WRITE of a read-only share
 *   -EOPNOTSUPP   there is none (no memfd here, or no /proc to reopen it read-only)
 *   -EBADF     the program closed the library's descriptor
 *   -EMFILE    too many open files
 *   -EINVAL    bad access
 */
SEQSHARE_API int seqshare_fd(const seqshare *share, int access);

/*
 * A second handle of the same region, read-only and without a name (seqshare_reopen: -EINVAL): for a reader beside a
 * handle that moves or is closed. The caller's to close. Errors: those of seqshare_fd and seqshare_attach.
 */
SEQSHARE_API int seqshare_reader(seqshare **reader, const seqshare *share);

/*
 * Move the handle to the region that its name has now. Returns 1 if it moved, and 0 if it was there already, which
 * takes one system call. Access stays as it was. A move ends all views of seqshare_peek. Versions may start over in
 * the new region. No other thread may use the handle meanwhile. Errors, the handle unchanged: those of seqshare_open,
 * and:
 *   -ENOENT    the name is gone
 *   -EIDRM     the region was replaced, and yet the name leads to it: its file is mounted alone, or has a second
 *              name. Use its folder.
 *   -EINVAL    a share without a name
 *   -EBUSY     this thread owns the lock
 */
SEQSHARE_API int seqshare_reopen(seqshare *share);

/*
 * Does the name lead to this region now? 1: yes; 0: to something else, or nowhere. The answer stays true while this
 * thread holds the lock, unless somebody moves the name by hand or from another PID namespace. seqshare_set succeeds
 * in a region without a name. A writer that must not publish there locks, asks, sets and unlocks. One system call.
 * Errors:
 *   -EINVAL    a share without a name
 *   -EACCES    and what else stat(2) says of the path
 */
SEQSHARE_API int seqshare_named(const seqshare *share);

/*
 * Give up writing through this handle, for good: nobody can make the new mapping writable again. For a worker, after
 * fork. Threads may go on reading and waiting meanwhile. Returns 0 also if the share is read-only already.
 *
 * That holds against mistakes, and for good against a process that has become another user (setuid). Code that runs as
 * a user who may write the file can open it again: by its name, or by the library's read-only descriptor in
 * /proc/self/fd, of an anonymous share too. (If there is no read-only descriptor to map, see seqshare_fd, the mapping
 * is merely protected.) Errors:
 *   -EBUSY     this thread owns the lock
 *   -EBADF     the program closed the library's descriptor
 *   -ENOMEM    not enough memory or address space
 */
SEQSHARE_API int seqshare_drop_write(seqshare *share);

/*
 * Map header and current value now, so that the first read takes no page fault. Touches nothing else, and returns 0
 * also if nothing has been published. Errors:
 *   -ENOMEM    not enough memory
 */
SEQSHARE_API int seqshare_prefault(const seqshare *share);

/*
 * Let go of the handle. NULL is fine. Never unlinks. Unlocks what this thread locked through this handle, and abandons
 * what it was filling (or left by longjmp). In a child it leaves the parent's share alone.
 */
SEQSHARE_API void seqshare_close(seqshare *share);

/*
 * Remove a name, whatever file it is of, share or not. Shares that are open go on as they are; seqshare_retired() is
 * true there (if the caller may write the file and it had no other name). Waits for the lock, but not longer than
 * 0.2 s. (Root neither takes the lock of another user's region nor touches its memory, because its owner may cut the
 * file meanwhile.) Errors:
 *   -ENOENT    there is no such name
 *   -EINVAL    bad name
 *   -ENAMETOOLONG   the name is too long
 *   -EMFILE, -ENFILE   too many open files
 *   -EBUSY     another process moves the name, and was stopped while it did
 *   -EAGAIN    other processes moved the name a thousand times meanwhile
 *   -EACCES, -EPERM   and what else unlink(2) and rename(2) say
 */
SEQSHARE_API int seqshare_unlink(const char *name);

/* ---- write ----------------------------------------------------------------------------------- */

/*
 * Publish a value: `length` bytes (0 is a valid length; NULL then too). Waits for the lock as long as its owner lives (call
 * seqshare_lock_for first, for a limit); uses the lock if this thread owns it already. Makes no system call when nobody
 * waits and the memory is there. There are two exceptions. The first publication of each tick of the coarse clock (1 to
 * 10 ms) calls FUTEX_WAKE. The first call of each thread and process looks into /proc.
 *
 * After a longjmp out of it, seqshare_abandon gives the lock back. (A publisher that writes at a high rate may keep the
 * lock: a set under it is cheaper by some 4 % on x86-64. The price: nobody else can write.)
 *
 * Errors, the old value unchanged:
 *   -EINVAL    a NULL value with a length
 *   -EROFS     the share is read-only
 *   -EMSGSIZE  the value is longer than the capacity
 *   -ENOSPC    there is no memory or room for a longer value
 *   -EBUSY     this thread is in the middle of a set or fill
 *   -EIDRM     the region was replaced
 *   -EOPNOTSUPP   this process has another PID or time namespace, or boot, than the region (or, before Linux 5.14, the
 *              file system has no fallocate)
 *   -EMFILE, -ENFILE   there is no descriptor to look into /proc with
 *   -EBADF     the program closed the library's descriptor, and a longer value needs it
 *   -EOVERFLOW after 2^63 - 2 versions
 *   -EBADMSG   a corrupt region
 */
SEQSHARE_API int seqshare_set(seqshare *share, const void *value, size_t length);

/*
 * Publish only if *version is the current one (0: nothing published yet). *version is then the new one. Errors: those
 * of seqshare_set, and:
 *   -ESTALE    it is not; *version is the current one
 */
SEQSHARE_API int seqshare_set_if(seqshare *share, uint64_t *version, const void *value, size_t length);

/*
 * Get `room` writable bytes of the region, for the next value: *slot, valid until publish or abandon. Takes the lock,
 * unless this thread owns it. Nobody reads the bytes before publish. They hold old bytes, not zeros. (If the program
 * uses non-temporal stores, it needs a fence of its own before publish.) Errors: those of seqshare_set, and:
 *   -EMSGSIZE  the room is beyond the capacity
 */
SEQSHARE_API int seqshare_fill(seqshare *share, size_t room, void **slot);

/*
 * Publish the first `length` bytes of what was filled in. Unlocks, unless seqshare_lock held the lock before. Errors:
 *   -EPERM     no fill by this thread on this handle
 *   -EMSGSIZE  longer than the room (the fill goes on)
 *   -EROFS     the share is read-only
 */
SEQSHARE_API int seqshare_publish(seqshare *share, size_t length);

/*
 * Forget what was filled in. Unlocks as seqshare_publish does. After a longjmp out of seqshare_set it gives the lock
 * back, and the old value stays.
 *
 * A signal handler must not call it and then return into the write that it interrupted: that write would go on without
 * the lock. A handler that interrupted seqshare_lock or seqshare_unlock, and returns there, must call nothing of the
 * library after it. Errors:
 *   -EPERM     nothing to abandon
 *   -EROFS     the share is read-only
 */
SEQSHARE_API int seqshare_abandon(seqshare *share);

/* ---- read ------------------------------------------------------------------------------------ */

/*
 * Copy the current value. Returns its length; its version is in *version (NULL: not wanted). The value is whole, and
 * not older than the newest when the call began. Takes no lock; repeats while writers outrun the copy, for a second at
 * most. After an error the buffer's bytes mean nothing. Errors:
 *   -ENODATA   nothing has been published
 *   -ENOBUFS   `size` is smaller than the value: nothing was copied, unless writers just outran an attempt at a shorter
 *              one. seqshare_length tells the length
 *   -EAGAIN    writers outran it for a second
 *   -EBADMSG   a corrupt region
 */
SEQSHARE_API ssize_t seqshare_get(const seqshare *share, void *buffer, size_t size, uint64_t *version);

/*
 * One attempt of seqshare_get. Wait-free. Errors: those of seqshare_get, and:
 *   -EAGAIN    a writer outran this attempt
 */
SEQSHARE_API ssize_t seqshare_try_get(const seqshare *share, void *buffer, size_t size, uint64_t *version);

/*
 * As seqshare_get, into a buffer of just the right size from malloc, in *buffer: the caller frees it. Errors: those of
 * seqshare_get but for -ENOBUFS, and:
 *   -ENOMEM    not enough memory
 */
SEQSHARE_API ssize_t seqshare_get_alloc(const seqshare *share, void **buffer, uint64_t *version);

/* All that one accepted read found: it belongs to one version. Zero what you do not set. */
typedef struct seqshare_reading {
    void *bytes;   /* your buffer of `size` bytes; or NULL: malloc'ed by the call, then yours to free */
    size_t size;   /* of your buffer; ignored with NULL */
    size_t length; /* of the value */
    uint64_t version;
    int64_t published; /* when, and by which process: as in struct seqshare_stat */
    int32_t writer;
    uint32_t tag; /* type tag; 0: untyped */
    uint64_t reserved[4];
} seqshare_reading;

/*
 * Read the current value with everything that belongs to it; returns 0. As seqshare_get: whole, without a lock,
 * repeating for a second at most. After -ENOBUFS reading->length is the length that did not fit; after any other error,
 * only `bytes` and `size` are as they were. Errors: those of seqshare_get, and:
 *   -ENOMEM    not enough memory
 */
SEQSHARE_API int seqshare_read(const seqshare *share, seqshare_reading *reading);

/*
 * As seqshare_read, for a process that must not die of what others do to the file: a server's parent that runs as root,
 * a tool that looks at strangers' shares. It reads by pread(2) and never touches mapped memory. So a file that its
 * owner truncates at any moment is -EBADMSG, and never SIGBUS. Opening a share touches no mapped memory either.
 *
 * It costs some system calls, and beside a writer that hardly ever pauses it is -EAGAIN sooner. (If there is no
 * descriptor, it reads a share without a file, or one whose file nobody can truncate, where it is.) Errors: those of
 * seqshare_read, and:
 *   -EBADF     the program closed the library's descriptor
 *   -EOPNOTSUPP   there is none
 */
SEQSHARE_API int seqshare_pread(const seqshare *share, seqshare_reading *reading);

/*
 * The current value's length, and its version. Errors:
 *   -ENODATA, -EAGAIN, -EBADMSG   as in seqshare_get
 */
SEQSHARE_API ssize_t seqshare_length(const seqshare *share, uint64_t *version);

/* The most that a value may have, in bytes; 0 for NULL. */
SEQSHARE_API size_t seqshare_capacity(const seqshare *share);

/* The current version; 0: nothing published, or NULL. One load: ask on every request, and read when it has moved. */
SEQSHARE_INLINE uint64_t seqshare_version(const seqshare *share);

/* A value where it is in the region. Not yours: nothing to free. */
typedef struct seqshare_view {
    const void *data;
    size_t length;
    uint64_t version;
} seqshare_view;

/*
 * Look at the current value without copying. A writer may change view->data while you read it; seqshare_valid, asked
 * *afterwards*, says whether one did. So read no more than view->length bytes, believe nothing before, and never hand a
 * view to a parser. The view is good as long as the handle is, and until seqshare_reopen moves it. Errors:
 *   -ENODATA   nothing has been published
 *   -EBADMSG   a corrupt region
 */
SEQSHARE_INLINE int seqshare_peek(const seqshare *share, seqshare_view *view);

/* Was everything that was read from the view so far part of its version? Once false, it stays false. */
SEQSHARE_INLINE bool seqshare_valid(const seqshare *share, const seqshare_view *view);

/*
 * Is seqshare_reopen worth a try? True if the name has gone to another region (replace), was removed (unlink), or is
 * just being moved. It may be true for an instant, or until the next write, although nothing has moved: reopen then
 * returns 0. One load. A name that is moved by hand leaves no mark: see seqshare_wait, or call reopen now and then.
 */
SEQSHARE_INLINE bool seqshare_retired(const seqshare *share);

/* ---- lock ------------------------------------------------------------------------------------ */

/*
 * Take the writer lock, for read-modify-write: get and set work under it, and readers never notice it. Returns 0, or 1
 * when it took the lock over from an owner that died. A fork's child does not own it. A program keeps it over exec
 * until it ends (a write that exec interrupts is over: see docs/guarantees.md). Uncontended, it makes no system call,
 * but for the first call of each thread and process. Errors:
 *   -EDEADLK   this thread owns it
 *   -EBUSY     this thread is in the middle of a set or fill
 *   -EROFS     the share is read-only
 *   -EIDRM, -EOPNOTSUPP, -EMFILE, -ENFILE   as in seqshare_set
 */
SEQSHARE_API int seqshare_lock(seqshare *share);

/*
 * As seqshare_lock, without waiting. Errors: those of seqshare_lock, and:
 *   -EBUSY     a thread that lives owns it
 */
SEQSHARE_API int seqshare_trylock(seqshare *share);

/*
 * As seqshare_lock, waiting no longer than `ns`; 0 does not wait. Errors: those of seqshare_lock, and:
 *   -ETIMEDOUT another thread owned the lock all the time
 */
SEQSHARE_API int seqshare_lock_for(seqshare *share, int64_t ns);

/*
 * Give the lock back. Errors:
 *   -EPERM     this thread does not own it
 *   -EBUSY     between fill and publish
 *   -EROFS     the share is read-only
 */
SEQSHARE_API int seqshare_unlock(seqshare *share);

/* ---- wait, inspect --------------------------------------------------------------------------- */

/*
 * Sleep until the version differs from `seen`; then return 0. `ns` 0 looks once. The publisher wakes the caller. (If
 * it was killed before it could, the caller looks by itself after 500 ms.)
 *
 * A caller with a read-only share cannot register. The first publication of each tick of the coarse clock (1 to 10 ms)
 * wakes it anyway. A publication that follows in the same tick may not. The caller then sees that one after as long
 * again as the version before it was current (to within a tick), or 4 ms if that is longer, and after 500 ms at the
 * latest. To look, it wakes up at most ten times in the second after a change, and twice a second from then on.
 *
 * It asks the name at once when a mark is new, and once a second. So it notices rm and a new share, mv, a restored
 * backup and a mount as well. As long as the name leads nowhere it sleeps on. An event loop gets a descriptor from a
 * thread that waits: docs/hot-configuration.md has an example.
 *
 * Errors:
 *   -ETIMEDOUT `ns` have passed
 *   -EINTR     a signal handler ran while it slept (it misses one that ran just before: a caller that waits for a
 *              signal too must set a limit)
 *   -EIDRM     the region has no other version than `seen`, and was replaced, or its name leads to another one, to
 *              which seqshare_reopen would move
 */
SEQSHARE_API int seqshare_wait(const seqshare *share, uint64_t seen, int64_t ns);

/*
 * Why the lock, which names threads by number, means nothing in this process. The process can read the region, but
 * seqshare_set, _lock and the like are -EOPNOTSUPP. seqshare_replace gives the name a region that it can write.
 */
enum {
    SEQSHARE_FOREIGN_BOOT = 1,           /* made before this machine last started */
    SEQSHARE_FOREIGN_PID_NAMESPACE = 2,  /* made in another PID namespace (another container) */
    SEQSHARE_FOREIGN_TIME_NAMESPACE = 3, /* made in another time namespace */
    SEQSHARE_FOREIGN_UNKNOWN = 4         /* /proc does not tell here, or did not tell the region's maker */
};

/*
 * Facts about a share that can be seen from outside, without the lock. Times: nanoseconds since 1970 (CLOCK_REALTIME;
 * of publications, CLOCK_REALTIME_COARSE).
 */
struct seqshare_stat {
    uint64_t version;
    uint64_t length; /* of the current value; 0 if none */
    uint64_t capacity;
    uint64_t allocated; /* bytes of memory or disk that the region takes now; 0: not known */
    int64_t created;    /* when the region was made */
    int64_t published;  /* when the current value was; 0 if none */
    uint64_t retries;   /* attempts to read that failed, through this handle in this process; inline functions
                           do not count theirs */
    uint8_t region_id[16];
    uint32_t tag; /* type tag of the current value; 0: untyped, or none */
    uint32_t slots;
    int32_t writer;   /* process that published the current value, as its PID namespace numbers it */
    int32_t owner;    /* thread that owns the lock, in the same numbers; 0: nobody */
    bool owner_alive; /* false with an owner: the next writer takes over; true also if nobody can tell */
    bool retired;     /* any mark, as seqshare_retired */
    bool replaced;    /* the name leads to another region: nobody publishes in this one any more */
    bool unlinked;    /* the name was removed */
    bool writable;    /* through this handle */
    uint8_t foreign; /* 0, or one of SEQSHARE_FOREIGN_...: why this process cannot write or lock the region */
    uint8_t reserved[58];
};

/*
 * Describe a share, without a lock and without waiting. Errors:
 *   -EAGAIN    writers outran it for a second
 *   -EBADMSG   a corrupt region
 */
#ifdef __cplusplus /* a struct and a function of one name, like stat(2): to -Wshadow, one hides the other */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
SEQSHARE_API int seqshare_stat(const seqshare *share, struct seqshare_stat *stat);
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/*
 * As seqshare_stat, by pread(2), for a process that must not die: see seqshare_pread. Errors: those of seqshare_stat
 * and of seqshare_pread.
 */
SEQSHARE_API int seqshare_pstat(const seqshare *share, struct seqshare_stat *result);

/*
 * As seqshare_version, by pread(2): three system calls, for asking on every request. It does not read the value of
 * *version, so it orders nothing. Errors: those of seqshare_pread, but for those about the value.
 */
SEQSHARE_API int seqshare_pversion(const seqshare *share, uint64_t *version);

/* One sentence for the result of a function, in this library's terms; static, never NULL. Any thread may call it. */
SEQSHARE_API const char *seqshare_strerror(int error);

/* ---- the inline ones, also exported under the same names ------------------------------------- */

/*
 * Not for programs: the part of seqshare_may_touch that asks the file. A program that was compiled with it does not
 * start with a library that lacks the function.
 */
SEQSHARE_API bool seqshare_holds(const seqshare *share, unsigned slot, uint64_t length) __attribute__((cold));

/*
 * May a reader touch `length` bytes of a slot? A process that may write the region can store any length. Reading
 * pages that the file has no memory for would allocate them, until the file system is full and that is a SIGBUS. So
 * the length is bounded by the bytes that the file is known to hold, which are never more than the capacity. Relaxed:
 * the bound is a fact about the file, and guards no memory of this process. A thread that sees an older one asks again.
 */
static inline __attribute__((always_inline)) bool seqshare_may_touch(const seqshare *share, unsigned slot,
                                                                     uint64_t length)
{
    return length <= __atomic_load_n(&share->place[slot].held, __ATOMIC_RELAXED) ||
           seqshare_holds(share, slot, length);
}

SEQSHARE_INLINE uint64_t seqshare_version(const seqshare *share)
{
    return share ? seqshare_read_begin(share->head) : 0;
}

SEQSHARE_INLINE int seqshare_peek(const seqshare *share, seqshare_view *view)
{
    uint64_t version, length;
    unsigned slot;

    if (!share || !view)
        return -EINVAL;
    version = seqshare_read_begin(share->head);
    if (version == 0)
        return -ENODATA;
    slot = seqshare_slot_of(version, share->mask);
    length = seqshare_read_length(share->head, share->mask, version);
    if (!seqshare_may_touch(share, slot, length)) /* honest writers never store this, not even for a moment */
        return -EBADMSG;
    view->data = share->place[slot].bytes;
    view->length = (size_t)length;
    view->version = version;
    return 0;
}

SEQSHARE_INLINE bool seqshare_valid(const seqshare *share, const seqshare_view *view)
{
    return share && view && view->version != 0 &&
           seqshare_read_accept(share->head, share->mask, view->version);
}

SEQSHARE_INLINE bool seqshare_retired(const seqshare *share)
{
    /* Acquire: pairs with the release in region_retire. A thread that sees the mark finds the new region at the
     * name. */
    return share && __atomic_load_n(&share->head->retired, __ATOMIC_ACQUIRE) != 0;
}

#ifdef __cplusplus
}
#endif

#include <seqshare/typed.h>

#endif
