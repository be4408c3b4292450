/* SPDX-License-Identifier: MIT */
/*
 * The blackboard of iceoryx2, a Rust library: an entry of fixed size in shared memory, two copies of it, one
 * writer; how it is used is said in rust/src/blackboard.rs. There is nothing to borrow: readers get copies.
 * All values have the size that the entry was made with, the capacity.
 *
 * iceoryx2 gives a process an identity at its first call, and fork hands that on: parent and children would
 * pass for one process, and none of them could ever be found dead. So the first process makes no call, ever.
 * A child of its own, the keeper, makes the blackboard and stays, for it lives as long as somebody has it
 * open; the others attach in children too. The keeper also outlives a first process that was killed, to clean
 * up.
 */
#include "../contender.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../clock.h"
#include "../process.h"
#include "../rust/neighbours.h"

enum {
    DEAD_NOT_YET_NOTICED = 8, /* they keep their places until the next process attaches */
    RETRY = 10 * MILLISECOND
};

struct store {
    pid_t first, keeper;
    int keeper_socket;
    size_t capacity;
    char directory[PATH_MAX];
};

/* Answers 0 or an error when the blackboard is there, and keeps it until the other end is closed. */
static void keep(const struct store *store, size_t processes, int socket)
{
    struct neighbours_blackboard *board;
    int error = neighbours_blackboard_create(store->directory, store->capacity, processes, &board);
    char end;

    if (write(socket, &error, sizeof error) != sizeof error || error != 0)
        _exit(1);
    while (read(socket, &end, 1) < 0 && errno == EINTR)
        ;
    neighbours_blackboard_destroy(board);
    _exit(0);
}

static int start_keeper(struct store *store, size_t processes)
{
    int ends[2], error = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -errno;
    store->keeper = process_fork();
    if (store->keeper == 0) {
        prctl(PR_SET_PDEATHSIG, 0);
        close(ends[0]);
        keep(store, processes, ends[1]);
    }
    close(ends[1]);
    store->keeper_socket = ends[0];
    if (store->keeper < 0)
        error = store->keeper;
    else if (read(store->keeper_socket, &error, sizeof error) != sizeof error)
        error = -EIO;
    return error;
}

/* Children that were forked in between may still have this end of the socket: it is shut down for all. */
static void stop_keeper(const struct store *store)
{
    shutdown(store->keeper_socket, SHUT_RDWR);
    close(store->keeper_socket);
    if (store->keeper > 0)
        waitpid(store->keeper, NULL, 0);
}

static int create(const struct contender_setup *setup, void **store)
{
    struct store *made = malloc(sizeof *made);
    int error;

    if (!made)
        return -ENOMEM;
    *made = (struct store){.first = getpid(), .keeper_socket = -1, .capacity = setup->capacity};
    if (snprintf(made->directory, sizeof made->directory, "%s/i", setup->directory) >=
        (int)sizeof made->directory)
        error = -ENAMETOOLONG;
    else
        error = start_keeper(made, setup->readers + 1 + DEAD_NOT_YET_NOTICED);
    if (error != 0) {
        stop_keeper(made);
        free(made);
        return error;
    }
    *store = made;
    return 0;
}

/*
 * One writer at a time, and one that was killed keeps the entry for good: iceoryx2 notices its death and
 * frees all else that it held. A process that must write can only try again, and hang.
 */
static int attach(void *store, enum contender_access access, void **handle)
{
    const struct store *mine = store;
    int error = -EOPNOTSUPP; /* nobody attaches in the first process */

    while (getpid() != mine->first) {
        error = neighbours_blackboard_attach(mine->directory, mine->capacity, access == CONTENDER_WRITER,
                                             (struct neighbours_blackboard_handle **)handle);
        if (error != -EOWNERDEAD)
            break;
        clock_sleep(RETRY);
    }
    return error;
}

static ssize_t read_value(void *handle, void *buffer, size_t size)
{
    return neighbours_blackboard_read(handle, buffer, size);
}

static int write_value(void *handle, const void *value, size_t length)
{
    return neighbours_blackboard_write(handle, value, length);
}

static void destroy(void *store)
{
    stop_keeper(store);
    free(store);
}

static void detach(void *handle)
{
    neighbours_blackboard_detach(handle);
}

static int read_times(void *handle, void *buffer, size_t size, size_t times)
{
    return neighbours_blackboard_read_times(handle, buffer, size, times);
}

static ssize_t read_once(void *handle, void *buffer, size_t size)
{
    int error = read_times(handle, buffer, size, 1);

    return error ? error : (ssize_t)size;
}

static int write_times(void *handle, const void *value, size_t length, size_t times)
{
    return neighbours_blackboard_write_times(handle, value, length, times);
}

static int write_once(void *handle, const void *value, size_t length)
{
    return write_times(handle, value, length, 1);
}

/* ---- the blackboard beside iceoryx2's event: its writer notifies after each write, its readers sleep ---- */

struct eventful {
    void *board;
    struct neighbours_event *event;
};

static int attach_eventful(void *store, enum contender_access access, void **handle)
{
    struct eventful *made = malloc(sizeof *made);
    int error = made ? attach(store, access, &made->board) : -ENOMEM;

    if (error == 0) {
        error = neighbours_event_attach(((const struct store *)store)->directory, access == CONTENDER_WRITER,
                                        &made->event);
        if (error != 0)
            detach(made->board);
    }
    if (error != 0)
        free(made);
    else
        *handle = made;
    return error;
}

static ssize_t read_eventful(void *handle, void *buffer, size_t size)
{
    return read_value(((struct eventful *)handle)->board, buffer, size);
}

static int write_and_notify(void *handle, const void *value, size_t length)
{
    const struct eventful *mine = handle;
    int error = write_value(mine->board, value, length);

    return error ? error : neighbours_event_notify(mine->event);
}

static int await_event(void *handle, int64_t ns)
{
    return neighbours_event_wait(((struct eventful *)handle)->event, ns);
}

static void detach_eventful(void *handle)
{
    struct eventful *mine = handle;

    neighbours_event_detach(mine->event);
    detach(mine->board);
    free(mine);
}

const struct contender contender_iceoryx2 = {
    .name = "iceoryx2",
    .summary = "iceoryx2 blackboard (Rust): two copies in shared memory, no lock, a copy on every request",
    .cannot_help = CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create,
    .attach = attach,
    .read = read_value,
    .write = write_value,
    .detach = detach,
    .destroy = destroy,
};

const struct contender contender_iceoryx2_rust = {
    .name = "iceoryx2-rust",
    .summary = "the same, read and written in loops of Rust that the library is compiled into",
    .part = CONTENDER_LOOPS,
    .cannot_help = CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create,
    .attach = attach,
    .read = read_once, /* so the proof is of the loops */
    .write = write_once,
    .read_times = read_times,
    .write_times = write_times,
    .detach = detach,
    .destroy = destroy,
};

const struct contender contender_iceoryx2_event = {
    .name = "iceoryx2-event",
    .summary = "the same, with its event service: the writer notifies, readers sleep until it does",
    .part = CONTENDER_WAKES,
    .cannot_help = CONTENDER_CAN_HANG | CONTENDER_READ_STORES,
    .create = create,
    .attach = attach_eventful,
    .read = read_eventful,
    .write = write_and_notify,
    .await = await_event,
    .detach = detach_eventful,
    .destroy = destroy,
};
