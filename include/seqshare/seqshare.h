/* SPDX-License-Identifier: MIT */
/*
 * seqshare: one value, shared between processes, for readers that look at it on every request.
 *
 *     seqshare *config;
 *     seqshare_new(&config, 1 << 20);                    before fork: anonymous, inherited by every worker
 *     seqshare_set(config, &limits, sizeof limits);      any process, any time
 *     seqshare_get(config, &mine, sizeof mine, NULL);    in the hot path: memcpy speed, takes no lock
 *
 * Words: a *share* is what you hold; its shared memory is the *region*. It carries one *value* (length and
 * bytes) at a time, and every *publication* of a value has a *version*: 1 for the first, one more each time,
 * 0 while nothing has been published. The *owner* is the thread that holds the writer lock.
 *
 * Everywhere, unless a function says otherwise:
 *   - It returns 0 (or a length, or 1 where said), or a negative errno value; seqshare_strerror() words it.
 *     Where it returns an error, nothing has changed. A NULL share, name, buffer or result is -EINVAL. The
 *     errors that are listed are those to reckon with; where a system call fails in a way that is not among
 *     them (-EIO, say), its errno is passed on.
 *   - Times are int64_t nanoseconds, relative; -1 waits for ever, any other negative time is -EINVAL.
 *   - Every function may be called by many threads at once, also with one handle, and by parent and children
 *     after fork. But during reopen and close no other thread may use the handle, and during drop_write none
 *     may write. (Children of vfork, and of clone with CLONE_VM and without CLONE_THREAD, may not call in.)
 *   - seqshare_get, _try_get, _get_typed, _peek, _valid, _version, _length, _retired and _capacity are
 *     async-signal-safe and take no lock. What writes or locks (set to unlock) may be called from a signal
 *     handler too, but gets -EBUSY when it interrupted a write of this thread (publish: -EPERM; abandon: see
 *     there). Nothing else is for signal handlers.
 *   - A thread that is cancelled (pthread_cancel) inside of a function ends as if it had been killed there: a
 *     lock that it owned is taken over; but what the function had open or allocated stays. seqshare_wait,
 *     _reopen, _drop_write and _close are no cancellation points: a handle is as it was, moved, or closed.
 *   - Readers never write to the region: a read-only mapping is enough, and a killed reader harms nobody.
 *
 * The protocol is in protocol.h, the layout of the region in docs/format.md, the promises in
 * docs/guarantees.md.
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

/* Where a slot lies, and, atomic, how many of its bytes the file is known to have memory for. Private. */
struct seqshare_place {
    const unsigned char *bytes;
    size_t held;
};

/*
 * A share. Its members are private, but the inline functions below are compiled into your program and use
 * them: so these few, in this order, stay as they are as long as the library's SOVERSION does. More follow
 * them.
 */
typedef struct seqshare {
    const struct seqshare_head *head;
    const unsigned char *bytes; /* of slot 0; slot k starts k * stride further */
    size_t stride;
    size_t capacity;
    unsigned mask;                                   /* slots - 1 */
    struct seqshare_place place[SEQSHARE_SLOTS_MAX]; /* since 0.2 */
} seqshare;

/* ---- access: or-ed together ------------------------------------------------------------------ */
enum {
    SEQSHARE_READ = 1,     /* a read-only mapping */
    SEQSHARE_WRITE = 2,    /* includes READ */
    SEQSHARE_ANY_OWNER = 4 /* trust a region that neither root nor this user owns (seqshare_open, _attach) */
};

/* ---- life cycle ------------------------------------------------------------------------------ */

/*
 * Make an anonymous share: inherited over fork, to others by its descriptor (seqshare_fd).
 * `capacity`, in bytes, is the most a value may have. It is an upper bound and costs nothing: memory is
 * committed as values need it. The share is the caller's: seqshare_close(). Errors: -EINVAL capacity 0;
 * -ENOMEM more than can be mapped; -EFBIG beyond RLIMIT_FSIZE; -ENOSPC no memory for the header; -EMFILE,
 * -ENFILE; -EIO the system gives no random numbers.
 */
SEQSHARE_API int seqshare_new(seqshare **share, size_t capacity);

/* As seqshare_new, with 2, 4 or 8 slots (else -EINVAL): more slots for readers beside a writer that never
 * pauses. */
SEQSHARE_API int seqshare_new_slots(seqshare **share, size_t capacity, unsigned slots);

/*
 * Make a named share, for writing. A name without a slash is the file `seqshare.NAME` in /dev/shm; a name
 * with a slash is a path as it stands. `mode`: exactly these permission bits, whatever the umask. The name
 * appears when the region is complete, never before. Errors: -EEXIST; -EINVAL bad name, mode or capacity 0;
 * -ENAMETOOLONG; -ENOMEM; -EFBIG; -ENOSPC; -EOPNOTSUPP on NFS, CIFS, 9p, FUSE, hugetlbfs; -EIO as in
 * seqshare_new; and what open(2) says of the directory and of a new file there (-EACCES, -ENOENT, -EMFILE).
 */
SEQSHARE_API int seqshare_create(seqshare **share, const char *name, size_t capacity, mode_t mode);

/*
 * As seqshare_create, but where the name exists, the new region takes its place in one step and carries
 * value, type tag and version on, and the old one's owner, group and ACL. The old region is marked:
 * seqshare_retired() is true there, its waiters get -EIDRM, and so does every later set, set_if, fill or lock
 * on it (seqshare_reopen, and try again); reads go on. Waits for the old region's lock, so that no publication
 * is lost. Where it may not lock (another PID namespace, or boot), what an owner publishes meanwhile goes along
 * as well, if it unlocks within a second. Where it may not write the old region's file, that is left unmarked.
 * Errors: as seqshare_create but for -EEXIST, as seqshare_open for what has the name, and -EMSGSIZE when the
 * value that stands is longer than `capacity`; -EPERM also when this process may not give the new one the old
 * one's owner, group or ACL; -EBUSY in the middle of this thread's own set or fill on the old region; -EAGAIN
 * others took the name a thousand times meanwhile, or writers outran the reading of a region that could not be
 * locked.
 */
SEQSHARE_API int seqshare_replace(seqshare **share, const char *name, size_t capacity, mode_t mode);

struct seqshare_reading; /* below */

/*
 * As seqshare_create, but the name appears with a value, or not at all: with `length` bytes of `bytes`, of
 * type `tag`, from *first, as version 1. The other members are not looked at; NULL: no value. Errors: as
 * seqshare_create, and -EMSGSIZE when the value is longer than `capacity`.
 */
SEQSHARE_API int seqshare_create_with(seqshare **share, const char *name, size_t capacity, mode_t mode,
                                      const struct seqshare_reading *first);

/* What seqshare_replace_with may do besides, or-ed together. */
enum {
    SEQSHARE_KEEP_MODE = 1, /* the mode of the region that is replaced; `mode` only where the name is free */
    SEQSHARE_LOSE_OWNER = 2 /* go on where its owner, group or ACL cannot be given to the new one */
};

/*
 * As seqshare_replace, but the new region gets the name with another value than the old one's: *first, as in
 * seqshare_create_with, as the version after the one that stands there. NULL: the old one's. `flags`: 0, or
 * some of the above. Errors: as seqshare_replace; -EINVAL bad flags; -EOVERFLOW after 2^63 - 2 versions.
 */
SEQSHARE_API int seqshare_replace_with(seqshare **share, const char *name, size_t capacity, mode_t mode,
                                       const struct seqshare_reading *first, int flags);

/*
 * Open a named share. access: SEQSHARE_READ or SEQSHARE_WRITE, and SEQSHARE_ANY_OWNER if wanted.
 * Errors: -ENOENT; -EBADMSG not a share, truncated or corrupt; -EPROTONOSUPPORT a newer layout; -ELOOP the
 * last part of the path is a symbolic link; -EPERM the name may be squatted: the file, or a
 * folder or link on the way to it from the root, lies in a folder that everybody may write to, and belongs
 * neither to root nor to this user (nor can that be known, where a user namespace has no such user), without
 * SEQSHARE_ANY_OWNER; -EACCES; -EROFS WRITE on a
 * file system that is mounted read-only; -EINVAL bad name or access; -ENAMETOOLONG; -EOPNOTSUPP as in
 * seqshare_create; -ENOMEM; -EMFILE, -ENFILE.
 */
SEQSHARE_API int seqshare_open(seqshare **share, const char *name, int access);

/*
 * Attach to the region behind a descriptor (from seqshare_fd, inherited, or received over a Unix socket).
 * The descriptor stays the caller's (its file position may move) and may be closed afterwards; the share is
 * the caller's to close. Errors: -EBADF; -EBADMSG not a share; -EPROTONOSUPPORT; -EACCES WRITE wanted of a
 * read-only descriptor, or READ of a write-only one, or WRITE of a memfd that is sealed against it; -EPERM
 * neither sealed against shrinking nor owned by root or oneself, without SEQSHARE_ANY_OWNER; -EINVAL bad
 * access; -EOPNOTSUPP as in seqshare_create; -ENOMEM; -EMFILE.
 */
SEQSHARE_API int seqshare_attach(seqshare **share, int fd, int access);

/*
 * A new descriptor of the region, close-on-exec, the caller's to close. READ: opened read-only. It shares its
 * file position with the library's own, which readers move: use pread(2), not read(2).
 * Errors: -EROFS WRITE of a read-only share; -EOPNOTSUPP there is none (no memfd here, or no /proc to reopen
 * it read-only); -EBADF somebody closed the library's descriptor; -EMFILE; -EINVAL bad access.
 */
SEQSHARE_API int seqshare_fd(const seqshare *share, int access);

/*
 * A second handle of the same region, read-only and without a name (seqshare_reopen: -EINVAL): for a reader
 * beside a handle that moves or is closed. The caller's to close. Errors: as seqshare_fd and seqshare_attach.
 */
SEQSHARE_API int seqshare_reader(seqshare **reader, const seqshare *share);

/*
 * Move the handle to the region that its name has now: 1 if it moved, 0 if it was there already, which takes
 * one system call. Access stays as it was. What seqshare_peek handed out is gone when it moved. Versions may
 * start over there. Errors, the handle unchanged: -ENOENT the name is gone; -EIDRM the region was replaced, and
 * yet the name leads here (a file that is mounted alone, or has a second name: use its folder); -EINVAL a share
 * without a name; -EBUSY this thread owns the lock; and all of seqshare_open's. No other thread may use the
 * handle meanwhile.
 */
SEQSHARE_API int seqshare_reopen(seqshare *share);

/*
 * Does the name lead to this region now? 1: yes; 0: to something else, or nowhere. While this thread holds the
 * lock that stays so, unless the name is moved by hand or from another PID namespace. So a writer that must not
 * publish into a region without a name (seqshare_set does: 0) locks, asks, sets and unlocks. One system call.
 * Errors: -EINVAL a share without a name; -EACCES, and what else stat(2) says of the path.
 */
SEQSHARE_API int seqshare_named(const seqshare *share);

/*
 * Give up writing through this handle, for good: the mapping becomes one that cannot be made writable again.
 * That holds against mistakes, and against a process that has become another user (setuid), for good. Code that
 * runs as a user who may write the file can open it anew: by its name, or the library's read-only descriptor in
 * /proc/self/fd, of an anonymous share too. (Only where there is no read-only descriptor to map, see seqshare_fd, it is merely protected.) 0 also when
 * it is read-only already. For a worker, after fork. Threads may go on reading and waiting meanwhile.
 * Errors: -EBUSY this thread owns the lock; -EBADF somebody closed the library's descriptor; -ENOMEM.
 */
SEQSHARE_API int seqshare_drop_write(seqshare *share);

/*
 * Map header and current value now, so that the first read takes no page fault. Touches no more than these,
 * and is 0 too where nothing has been published. Errors: -ENOMEM.
 */
SEQSHARE_API int seqshare_prefault(const seqshare *share);

/*
 * Let go of the handle. NULL is fine. Never unlinks. Unlocks what this thread locked, and abandons what it
 * was filling (or left by longjmp), through this handle. In a child it leaves the parent's share alone.
 */
SEQSHARE_API void seqshare_close(seqshare *share);

/*
 * Remove a name, whatever file it is of, share or not. Shares that are open go on as they are;
 * seqshare_retired() is true there (if the caller may write the file and it had no other name). Waits for the
 * lock, but not longer than 0.2 s. (Root neither takes the lock of another user's region nor touches its memory,
 * for its owner may cut the file meanwhile.) Errors: -ENOENT; -EINVAL; -ENAMETOOLONG; -EMFILE, -ENFILE; -EBUSY
 * another process moves the name and was stopped while it did; -EAGAIN others moved the name a thousand times
 * meanwhile; and what unlink(2) and rename(2) say.
 */
SEQSHARE_API int seqshare_unlink(const char *name);

/* ---- write ----------------------------------------------------------------------------------- */

/*
 * Publish `length` bytes (0 is a valid length; NULL then too). Waits for the lock as long as its owner lives
 * (seqshare_lock_for first, for a limit); uses it if this thread owns it already. No system call when nobody
 * waits and the memory is there, but for the first call of each thread and process, which looks into /proc.
 * Errors, the old value standing: -EINVAL NULL value with a length; -EROFS; -EMSGSIZE longer than the
 * capacity; -ENOSPC no memory or room for a longer value; -EBUSY this thread is in the middle of a set or
 * fill; -EIDRM the region was replaced; -EOPNOTSUPP another PID or time namespace, or boot, than the
 * region's (or, before Linux 5.14, a file system without fallocate); -EMFILE, -ENFILE no descriptor to look
 * into /proc with; -EBADF the library's descriptor was closed and a longer value needs it; -EOVERFLOW after
 * 2^63 - 2 versions; -EBADMSG a corrupt region.
 * After a longjmp out of it, seqshare_abandon gives the lock back. (A publisher that writes
 * at a high rate may keep the lock: a set under it is the cheaper by some 4 % on x86-64. The price: nobody else
 * can write.)
 */
SEQSHARE_API int seqshare_set(seqshare *share, const void *value, size_t length);

/*
 * Publish only if *version is the current one (0: nothing published yet); *version is then the new one.
 * Errors: as seqshare_set, and -ESTALE: *version is the one that stands.
 */
SEQSHARE_API int seqshare_set_if(seqshare *share, uint64_t *version, const void *value, size_t length);

/*
 * Take the lock (unless this thread owns it) and get `room` writable bytes in place: *slot, valid until
 * publish or abandon. Nobody reads them before. They hold old bytes, not zeros. (Non-temporal stores of the
 * program's own need the program's own fence before publish.) Errors: as seqshare_set; -EMSGSIZE room beyond
 * the capacity.
 */
SEQSHARE_API int seqshare_fill(seqshare *share, size_t room, void **slot);

/*
 * Publish the first `length` bytes of what was filled; unlock, unless seqshare_lock held it before.
 * Errors: -EPERM no fill by this thread on this handle; -EMSGSIZE longer than the room (the fill goes on);
 * -EROFS.
 */
SEQSHARE_API int seqshare_publish(seqshare *share, size_t length);

/*
 * Forget what was filled; unlock likewise. Also after a longjmp out of seqshare_set: gives the lock back, the
 * old value standing. (Not from a signal handler that then returns into the write that it interrupted: that
 * write would go on without the lock. In one that interrupted seqshare_lock or seqshare_unlock, and returns
 * there, it must be the last call.) Errors: -EPERM nothing to abandon; -EROFS.
 */
SEQSHARE_API int seqshare_abandon(seqshare *share);

/* ---- read ------------------------------------------------------------------------------------ */

/*
 * Copy the current value: its length is returned, its version is in *version (NULL: not wanted). The value is
 * whole, and not older than the newest when the call began. Takes no lock; repeats while writers outrun the
 * copy, for a second at most.
 * Errors: -ENODATA nothing published; -ENOBUFS `size` is smaller than the value (nothing copied, unless an
 * attempt at a shorter one was outrun just before; see seqshare_length); -EAGAIN writers outran it for a
 * second; -EBADMSG a corrupt region. After an error the buffer's bytes mean nothing.
 */
SEQSHARE_API ssize_t seqshare_get(const seqshare *share, void *buffer, size_t size, uint64_t *version);

/* One attempt of it: -EAGAIN when a writer outran it. Wait-free. */
SEQSHARE_API ssize_t seqshare_try_get(const seqshare *share, void *buffer, size_t size, uint64_t *version);

/* As seqshare_get, into a buffer of just the right size from malloc, in *buffer: the caller frees it. Errors:
 * -ENOMEM, and those of seqshare_get but for -ENOBUFS. */
SEQSHARE_API ssize_t seqshare_get_alloc(const seqshare *share, void **buffer, uint64_t *version);

/* All that one accepted read found: it belongs to one version. Zero what you do not set. */
typedef struct seqshare_reading {
    void *bytes;   /* your buffer of `size` bytes; or NULL: malloc'ed by the call, then yours to free */
    size_t size;   /* of your buffer; not looked at with NULL */
    size_t length; /* of the value */
    uint64_t version;
    int64_t published; /* when, and by which process: as in struct seqshare_stat */
    int32_t writer;
    uint32_t tag; /* type tag; 0: untyped */
    uint64_t reserved[4];
} seqshare_reading;

/*
 * Read the current value with all that belongs to it; 0. As seqshare_get: whole, without a lock, repeating
 * for a second at most. Errors: those of seqshare_get, and -ENOMEM. After -ENOBUFS reading->length is the
 * length that did not fit; else, after an error, only `bytes` and `size` are as they were.
 */
SEQSHARE_API int seqshare_read(const seqshare *share, seqshare_reading *reading);

/*
 * The same for a process that must not die of what others do to the file (a server's parent that runs as
 * root, a tool that looks at strangers' shares): it reads by pread(2) and never touches mapped memory. So a
 * file that its owner truncates at any moment is -EBADMSG, and never SIGBUS. It costs some system calls, and
 * beside a writer that hardly ever pauses it is -EAGAIN sooner. Opening a share touches no mapped memory
 * either. (A share without a file, or whose file nobody can truncate, is read where it lies if there is no
 * descriptor.) Errors: as seqshare_read; -EBADF somebody closed the library's descriptor; -EOPNOTSUPP there
 * is none.
 */
SEQSHARE_API int seqshare_pread(const seqshare *share, seqshare_reading *reading);

/* The current value's length, and its version. Errors: -ENODATA, -EAGAIN, -EBADMSG as in seqshare_get. */
SEQSHARE_API ssize_t seqshare_length(const seqshare *share, uint64_t *version);

/* The most a value may have, in bytes; 0 for NULL. */
SEQSHARE_API size_t seqshare_capacity(const seqshare *share);

/* The current version; 0: nothing published, or NULL. One load: ask on every request, and read when it has
 * moved. */
SEQSHARE_INLINE uint64_t seqshare_version(const seqshare *share);

/* A value where it lies in the region. Not yours: nothing to free. */
typedef struct seqshare_view {
    const void *data;
    size_t length;
    uint64_t version;
} seqshare_view;

/*
 * Look at the current value without copying: view->data may change under your eyes until seqshare_valid,
 * asked *afterwards*, says that it had not. So read it bounded by view->length, believe nothing before, and
 * never hand a view to a parser. Errors: -ENODATA; -EBADMSG a corrupt region. The view is good as long as the
 * handle is, and until seqshare_reopen moves it.
 */
SEQSHARE_INLINE int seqshare_peek(const seqshare *share, seqshare_view *view);

/* Was all that has been read from the view so far part of its version? Once false, it stays false. */
SEQSHARE_INLINE bool seqshare_valid(const seqshare *share, const seqshare_view *view);

/*
 * Is seqshare_reopen worth a try? The name has gone to another region (replace), was removed (unlink), or is
 * just being moved. It may be true for an instant, or until the next write, although nothing has moved: reopen
 * then says 0. One load. A name that is moved by hand leaves no mark: see seqshare_wait, or call reopen now and
 * then.
 */
SEQSHARE_INLINE bool seqshare_retired(const seqshare *share);

/* ---- lock ------------------------------------------------------------------------------------ */

/*
 * Take the writer lock, for read-modify-write: get and set work under it, readers never notice it. 0, or 1
 * when it was taken over from an owner that died. A fork's child does not own it; a program keeps it over
 * exec until it ends (a write that exec interrupts is over: see docs/guarantees.md). Errors: -EDEADLK this
 * thread owns it; -EBUSY this thread is in the middle of a set or fill; -EROFS; -EIDRM, -EOPNOTSUPP, -EMFILE,
 * -ENFILE as in seqshare_set. Uncontended: no system call, but for the first call of each thread and process.
 */
SEQSHARE_API int seqshare_lock(seqshare *share);

/* As seqshare_lock, without waiting: -EBUSY also when somebody alive owns it. */
SEQSHARE_API int seqshare_trylock(seqshare *share);

/* As seqshare_lock, waiting no longer than `ns`: -ETIMEDOUT. 0 does not wait. */
SEQSHARE_API int seqshare_lock_for(seqshare *share, int64_t ns);

/* Give it back. Errors: -EPERM this thread does not own it; -EBUSY between fill and publish; -EROFS. */
SEQSHARE_API int seqshare_unlock(seqshare *share);

/* ---- wait, inspect --------------------------------------------------------------------------- */

/*
 * Sleep until the version differs from `seen`: 0. A writable share is woken (and looks every 500 ms, should
 * the publisher have been killed before it could wake anybody); a read-only one looks every 50 ms. `ns` 0
 * looks once. Errors: -ETIMEDOUT; -EINTR a signal handler ran while it slept (one that ran just before goes
 * unnoticed: who waits for a signal, too, sets a limit); -EIDRM the region has no other version than `seen`,
 * and was replaced, or its name leads to another one, to which seqshare_reopen would move. It asks the name at
 * once when a mark is new, and once a second: so rm and a new share, mv, a restored backup and a mount are
 * noticed as well. As long as the name leads nowhere it sleeps on.
 */
SEQSHARE_API int seqshare_wait(const seqshare *share, uint64_t seen, int64_t ns);

/*
 * Why the lock, which names threads by number, means nothing in this process: then it can read the region, and
 * seqshare_set, _lock and the like are -EOPNOTSUPP; seqshare_replace gives the name a region that it can write.
 */
enum {
    SEQSHARE_FOREIGN_BOOT = 1,           /* made before this machine was started last */
    SEQSHARE_FOREIGN_PID_NAMESPACE = 2,  /* made in another PID namespace (another container) */
    SEQSHARE_FOREIGN_TIME_NAMESPACE = 3, /* made in another time namespace */
    SEQSHARE_FOREIGN_UNKNOWN = 4         /* /proc does not tell, here, or did not tell the region's maker */
};

/* What can be seen from outside, without taking the lock. Times: nanoseconds since 1970 (CLOCK_REALTIME;
 * of publications, CLOCK_REALTIME_COARSE). */
struct seqshare_stat {
    uint64_t version;
    uint64_t length; /* of the current value; 0 if none */
    uint64_t capacity;
    uint64_t allocated; /* bytes of memory or disk that the region takes now; 0: not known */
    int64_t created;    /* when the region was made */
    int64_t published;  /* when the current value was; 0 if none */
    uint64_t retries;   /* attempts at reading that failed, through this handle in this process; those of
                           inline functions are not counted */
    uint8_t region_id[16];
    uint32_t tag; /* type tag of the current value; 0: untyped, or none */
    uint32_t slots;
    int32_t writer;   /* process that published the current value, as its PID namespace numbers it */
    int32_t owner;    /* thread that owns the lock, likewise; 0: nobody */
    bool owner_alive; /* false with an owner: the next writer takes over; true also if it cannot be told */
    bool retired;     /* any mark, as seqshare_retired */
    bool replaced;    /* the name went to another region: nothing is published here any more */
    bool unlinked;    /* the name was removed */
    bool writable;    /* through this handle */
    uint8_t foreign; /* 0, or one of SEQSHARE_FOREIGN_...: why this process cannot write or lock the region */
    uint8_t reserved[58];
};

/* Never locks, never waits. Errors: -EAGAIN writers outran it for a second; -EBADMSG a corrupt region. */
#ifdef __cplusplus /* a struct and a function of one name, like stat(2): to -Wshadow, one hides the other */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
SEQSHARE_API int seqshare_stat(const seqshare *share, struct seqshare_stat *stat);
#ifdef __cplusplus
#pragma GCC diagnostic pop
#endif

/* As seqshare_stat, by pread(2), for a process that must not die: see seqshare_pread, and its errors. */
SEQSHARE_API int seqshare_pstat(const seqshare *share, struct seqshare_stat *result);

/* As seqshare_version, likewise: three system calls, for asking on every request. The value that *version stands for
 * is not read, so nothing is ordered. Errors: as seqshare_pread, but for those about the value. */
SEQSHARE_API int seqshare_pversion(const seqshare *share, uint64_t *version);

/* One sentence for what a function returned, in this library's terms; static, never NULL. Any thread. */
SEQSHARE_API const char *seqshare_strerror(int error);

/* ---- the inline ones, also exported under the same names ------------------------------------- */

/*
 * Not for programs: the rest of seqshare_may_touch, which asks the file. Programs that were compiled with it do
 * not start with a library that has no such function.
 */
SEQSHARE_API bool seqshare_holds(const seqshare *share, unsigned slot, uint64_t length) __attribute__((cold));

/*
 * May a reader touch `length` bytes of a slot? Whoever may write the region can store any length; reading pages
 * that the file has no memory for would allocate them, until that is a SIGBUS where the file system is full. So
 * the length is bounded by what the file is known to hold, which is never more than the capacity. Relaxed: the
 * bound is a fact about the file, and guards no memory of this process; who sees an older one asks once more.
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
    if (!seqshare_may_touch(share, slot, length)) /* honest writers never store this, not even in passing */
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
    /* Acquire: pairs with the release in region.c's retire; who sees the mark finds the new region at the
     * name. */
    return share && __atomic_load_n(&share->head->retired, __ATOMIC_ACQUIRE) != 0;
}

#ifdef __cplusplus
}
#endif

#include <seqshare/typed.h>

#endif
