/* SPDX-License-Identifier: MIT */
/*
 * Two libraries of the Rust world, as C sees them: mmap-sync, and the blackboard of iceoryx2. What this
 * declares is in src/. All but the reads and borrow return 0 or a negative errno value; those the value's
 * length, or -ENODATA where nothing has been written. A handle is for one process and one thread.
 */
#ifndef BENCH_NEIGHBOURS_H
#define BENCH_NEIGHBOURS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct neighbours_mmap_sync;

/* Its files are `prefix` with _state, _data_0, _data_1: made by the first write, and removed by nobody. */
int neighbours_mmap_sync_open(const char *prefix, struct neighbours_mmap_sync **handle);
ssize_t neighbours_mmap_sync_read(struct neighbours_mmap_sync *handle, void *buffer, size_t size);
/* Where the value lies, until give_back; nothing else may be done with the handle meanwhile. */
ssize_t neighbours_mmap_sync_borrow(struct neighbours_mmap_sync *handle, const void **value);
void neighbours_mmap_sync_give_back(struct neighbours_mmap_sync *handle);
int neighbours_mmap_sync_write(struct neighbours_mmap_sync *handle, const void *value, size_t length);
/* So many of them, in a loop in Rust: 0 or a negative errno value. */
int neighbours_mmap_sync_read_times(struct neighbours_mmap_sync *handle, void *buffer, size_t size,
                                    size_t times);
int neighbours_mmap_sync_write_times(struct neighbours_mmap_sync *handle, const void *value, size_t length,
                                     size_t times);
void neighbours_mmap_sync_close(struct neighbours_mmap_sync *handle);

struct neighbours_blackboard;
struct neighbours_blackboard_handle;

/*
 * Makes `directory`, and files in /dev/shm that have it in their names; destroy removes all, what killed
 * processes left too. Every value is of `size` bytes, at first all zeros. Only in processes whose parents
 * have never used a blackboard: iceoryx2 takes a child of one that has for its parent.
 */
int neighbours_blackboard_create(const char *directory, size_t size, size_t processes,
                                 struct neighbours_blackboard **store);
void neighbours_blackboard_destroy(struct neighbours_blackboard *store);

/* As it was created. One writer at a time (-EBUSY), and none after one that was killed (-EOWNERDEAD). */
int neighbours_blackboard_attach(const char *directory, size_t size, bool writing,
                                 struct neighbours_blackboard_handle **handle);
ssize_t neighbours_blackboard_read(const struct neighbours_blackboard_handle *handle, void *buffer,
                                   size_t size);
/* -EMSGSIZE: not of that size. */
int neighbours_blackboard_write(const struct neighbours_blackboard_handle *handle, const void *value,
                                size_t length);
/* So many of them, in a loop in Rust: 0 or a negative errno value. */
int neighbours_blackboard_read_times(const struct neighbours_blackboard_handle *handle, void *buffer,
                                     size_t size, size_t times);
int neighbours_blackboard_write_times(const struct neighbours_blackboard_handle *handle, const void *value,
                                      size_t length, size_t times);
void neighbours_blackboard_detach(struct neighbours_blackboard_handle *handle);

struct neighbours_event;

/* An event service beside the blackboard in `directory`: one side of it. The same processes may use it. */
int neighbours_event_attach(const char *directory, bool notifies, struct neighbours_event **event);
int neighbours_event_notify(const struct neighbours_event *event);
/* Asleep until somebody notifies; -ETIMEDOUT. */
int neighbours_event_wait(const struct neighbours_event *event, int64_t ns);
void neighbours_event_detach(struct neighbours_event *event);

#endif
