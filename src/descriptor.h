/* SPDX-License-Identifier: MIT */
/*
 * The file behind a region, and this process's descriptors of it. Daemons close all descriptors, and a number then
 * names a stranger's file: so each is compared with the file that was opened before it is used.
 */
#ifndef SEQSHARE_DESCRIPTOR_H
#define SEQSHARE_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Identifies a file. The kernel cannot give its number again while the file is open or mapped. */
struct file_id {
    dev_t device;
    ino_t inode;
};

static inline struct file_id file_id_of(const struct stat *status)
{
    return (struct file_id){status->st_dev, status->st_ino};
}

static inline bool file_id_is(struct file_id one, struct file_id other)
{
    return one.device == other.device && one.inode == other.inode;
}

struct descriptors {
    int write_fd; /* -1: none. Owned, like read_fd; but see descriptor_is_ours */
    int read_fd;
    struct file_id id; /* of the file behind them */
};

/* A regular file, on a file system whose shared mappings are memory? 0, -EBADMSG, -EOPNOTSUPP. */
int descriptor_check_file(int fd);

/* Remember the file of `fd`. */
int descriptor_identify(struct descriptors *file, int fd);

/* Is this descriptor still the one we opened? */
bool descriptor_is_ours(const struct descriptors *file, int fd);

/* A descriptor of the file to read it with; -EOPNOTSUPP there is none, -EBADF it was closed. */
int descriptor_for_reading(const struct descriptors *file);

/*
 * A read-only descriptor of the same file as `fd`, to hand out and for drop_write, in *read_fd. -1: without /proc
 * there is none.
 */
int descriptor_open_read_only(const struct descriptors *file, int fd, int *read_fd);

/*
 * `fd`, or a duplicate with a number above 2: programs close 0 to 2, and print to them. -1 stays -1.
 */
int descriptor_keep_apart(int fd);

/* Close *fd if it is still ours. Either way it is -1 then. */
void descriptor_close(const struct descriptors *file, int *fd);

/* Is that size beyond this process's limit for files (RLIMIT_FSIZE)? To try would kill the process: SIGXFSZ. */
bool descriptor_exceeds_limit(size_t size);

#endif
