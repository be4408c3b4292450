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
    if (snprintf(made->directory, sizeof made->directory, "%s/iceoryx2", setup->directory) >=
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
 * frees all else that it held. Who must write can only try again, and hang.
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

static void detach(void *handle)
{
    neighbours_blackboard_detach(handle);
}

static void destroy(void *store)
{
    stop_keeper(store);
    free(store);
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
