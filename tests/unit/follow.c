/* SPDX-License-Identifier: MIT */
/*
 * A name moves on, by hand or by a mount, and nobody says so. Those who hold the old region hear of it when they ask
 * the name.
 *
 * Shows: NAME-3, NAME-8, WAIT-4.
 */
#include "moved.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(follow, .timeout = 120);

/* ---- seqshare_named ---- */

Test(follow, named_says_where_the_name_leads)
{
    struct scene scene = moved_new();
    seqshare *nameless = another_handle(scene.share, SEQSHARE_READ), *reader = NULL, *made = NULL;

    equals(seqshare_open(&reader, scene.name, SEQSHARE_READ), 0);
    equals(seqshare_named(NULL), -EINVAL);
    equals(seqshare_named(nameless), -EINVAL);
    equals(seqshare_named(scene.share), 1);
    equals(seqshare_lock(scene.share), 0);
    equals(seqshare_named(scene.share), 1); /* under the lock, too */
    equals(seqshare_named(reader), 1);
    equals(seqshare_unlock(scene.share), 0);
    check(unlink(scene.name) == 0);
    equals(seqshare_named(scene.share), 0);
    equals(seqshare_set(scene.share, "of no use", 9), 0); /* writers do not follow */
    made = named_share(scene.name, "A2", 0600);
    equals(seqshare_named(scene.share), 0);
    equals(seqshare_named(made), 1);
    seqshare_close(made);
    seqshare_close(reader);
    seqshare_close(nameless);
    moved_end(&scene);
}

/* ---- a waiter notices a move by hand ---- */

struct waiting {
    seqshare *share;
    int ready;
};

static void *waits_for_a_move(void *context)
{
    struct waiting *waiting = context;

    set_flag(&waiting->ready, 1);
    equals(seqshare_wait(waiting->share, seqshare_version(waiting->share), -1), -EIDRM);
    return NULL;
}

enum { WAITERS = 3 };

/* Several threads wait through one handle, beside a second handle; all hear of it. */
static void moves_under(const struct scene *scene, int access, void (*act)(const struct scene *scene))
{
    struct waiting waiting = {0};
    pthread_t waiter[WAITERS];

    equals(seqshare_open(&waiting.share, scene->name, access), 0);
    equals(seqshare_wait(waiting.share, 1, 0), -ETIMEDOUT);
    for (int i = 0; i < WAITERS; i++)
        equals(pthread_create(&waiter[i], NULL, waits_for_a_move, &waiting), 0);
    await_flag(&waiting.ready, 1);
    act(scene);
    for (int i = 0; i < WAITERS; i++)
        equals(pthread_join(waiter[i], NULL), 0);
    check(!seqshare_retired(waiting.share)); /* nobody has said so */
    equals(seqshare_wait(waiting.share, 1, 0), -EIDRM);
    equals(seqshare_reopen(waiting.share), 1);
    says(waiting.share, "B");
    equals(seqshare_wait(waiting.share, 1, MILLISECONDS), -ETIMEDOUT);
    seqshare_close(waiting.share);
}

static void notices(void (*act)(const struct scene *scene))
{
    for (int access = SEQSHARE_READ; access <= SEQSHARE_WRITE; access++) {
        struct scene scene = moved_new();

        moves_under(&scene, access, act);
        moved_end(&scene);
    }
}

Test(follow, wait_notices_a_file_that_is_moved_over_the_name)
{
    notices(moved_over);
}

static void remove_and_make(const struct scene *scene)
{
    check(unlink(scene->name) == 0);
    seqshare_close(named_share(scene->name, "B", 0600));
}

Test(follow, wait_notices_a_name_that_is_removed_and_made_again)
{
    notices(remove_and_make);
}

/* As a deployment does that builds a folder beside the old one. */
static void exchange_folders(const struct scene *scene)
{
    const char *made = format("%s.new", scene->folder), *aside = format("%s/old", scene->folder);

    check(mkdir(made, 0755) == 0 && mkdir(aside, 0755) == 0);
    check(rename(scene->second, format("%s/name", made)) == 0);
    check(rename(scene->name, format("%s/name", aside)) == 0);
    check(rename(aside, format("%s.old", scene->folder)) == 0 && rmdir(scene->folder) == 0);
    check(rename(made, scene->folder) == 0);
    check(unlink(format("%s.old/name", scene->folder)) == 0);
    check(rmdir(format("%s.old", scene->folder)) == 0);
}

Test(follow, wait_notices_a_folder_that_takes_the_place_of_another)
{
    notices(exchange_folders);
}

/* A copy has the id of the region that it was made from. */
static void restore_a_backup(const struct scene *scene)
{
    char *bytes = malloc(1 << 16);
    const char *copy = format("%s.copy", scene->name);
    int in = open(scene->second, O_RDONLY), out = open(copy, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ssize_t length = read(in, bytes, 1 << 16);

    check(length > 0 && write(out, bytes, (size_t)length) == length);
    close(in);
    close(out);
    free(bytes);
    check(rename(copy, scene->name) == 0);
}

Test(follow, wait_notices_a_backup_that_is_restored)
{
    notices(restore_a_backup);
}

static void mount_over(const struct scene *scene)
{
    const char *below = format("%s/below", scene->folder);

    check(mkdir(below, 0755) == 0 && rename(scene->second, format("%s/name", below)) == 0);
    if (mount(below, scene->folder, NULL, MS_BIND, NULL) != 0)
        _exit(NOT_POSSIBLE);
}

static void mounts_over(void *context)
{
    struct scene *scene = context;

    own_mounts();
    moves_under(scene, SEQSHARE_READ, mount_over);
}

Test(follow, wait_notices_a_mount_over_the_folder)
{
    struct scene scene = moved_new();

    skip_unless_root();
    try_in_child(mounts_over, &scene);
    moved_end(&scene);
}

/*
 * Fails with: a wait that returns -EIDRM for anything that has the name: reopen fails, and the waiter turns round
 * and round.
 */
Test(follow, wait_sleeps_on_while_the_name_leads_nowhere_or_to_no_share)
{
    struct scene scene = moved_new();

    check(unlink(scene.name) == 0);
    equals(seqshare_wait(scene.share, 1, MILLISECONDS), -ETIMEDOUT);
    check(close(open(scene.name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    moved_mark(&scene, SEQSHARE_LOOK_OUTSIDE); /* so that it asks at once */
    equals(seqshare_wait(scene.share, 1, 0), -ETIMEDOUT);
    equals(seqshare_reopen(scene.share), -EBADMSG);
    says(scene.share, "A");
    moved_over(&scene);
    moved_mark(&scene, SEQSHARE_UNLINKED);
    equals(seqshare_wait(scene.share, 1, 0), -EIDRM);
    equals(seqshare_reopen(scene.share), 1);
    says(scene.share, "B");
    moved_end(&scene);
}

/* ---- a name that leads to a replaced region ---- */

static void says_that_it_is_replaced(seqshare *share)
{
    equals(seqshare_set(share, "x", 1), -EIDRM);
    equals(seqshare_lock(share), -EIDRM);
    equals(seqshare_wait(share, seqshare_version(share), -1), -EIDRM);
    equals(seqshare_named(share), 1);
    equals(seqshare_reopen(share), -EIDRM);
    says(share, "A");
    check(strstr(seqshare_strerror(-EIDRM), "folder") != NULL);
}

/* Fails with: a reopen that says 0, after which set and reopen send each other in circles. */
Test(follow, a_second_name_of_a_replaced_region_says_so)
{
    struct scene scene = moved_new();
    const char *link_name = format("%s/link", scene.folder);
    seqshare *linked = NULL, *made = NULL;

    check(link(scene.name, link_name) == 0);
    equals(seqshare_open(&linked, link_name, SEQSHARE_WRITE), 0);
    equals(seqshare_replace(&made, scene.name, 100, 0600), 0);
    says_that_it_is_replaced(linked);
    seqshare_close(made);

    equals(seqshare_replace(&made, link_name, 100, 0600), 0); /* and that helps */
    equals(seqshare_reopen(linked), 1);
    equals(seqshare_set(linked, "x", 1), 0);
    seqshare_close(made);
    seqshare_close(linked);
    moved_end(&scene);
}

static void mounts_the_file(void *context)
{
    struct scene *scene = context;
    const char *mounted = format("%s/mounted", scene->folder);
    seqshare *inside = NULL, *made = NULL;

    own_mounts();
    check(close(open(mounted, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    if (mount(scene->name, mounted, NULL, MS_BIND, NULL) != 0)
        _exit(NOT_POSSIBLE);
    equals(seqshare_open(&inside, mounted, SEQSHARE_WRITE), 0);
    equals(seqshare_replace(&made, scene->name, 100, 0600), 0);
    says_that_it_is_replaced(inside);
}

Test(follow, a_file_that_is_mounted_alone_says_so)
{
    struct scene scene = moved_new();

    skip_unless_root();
    try_in_child(mounts_the_file, &scene);
    moved_end(&scene);
}

/* ---- a layered file system ---- */

/* Opening a file there for writing makes a copy in the upper layer, and others' mappings stay below. */
static void copies_up(void *context)
{
    struct scene *scene = context;
    const char *layer = format("%s/layers", scene->folder), *merged = format("%s/merged", layer);
    const char *options = format("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", layer, layer, layer);
    seqshare *reader = NULL, *writer = NULL;

    own_mounts();
    if (mkdir(layer, 0755) != 0 || mount("none", layer, "tmpfs", 0, NULL) != 0)
        _exit(NOT_POSSIBLE);
    check(mkdir(format("%s/lower", layer), 0755) == 0 && mkdir(format("%s/upper", layer), 0755) == 0);
    check(mkdir(format("%s/work", layer), 0755) == 0 && mkdir(merged, 0755) == 0);
    seqshare_close(named_share(format("%s/lower/name", layer), "A", 0644));
    if (mount("none", merged, "overlay", 0, options) != 0)
        _exit(NOT_POSSIBLE);
    equals(seqshare_open(&reader, format("%s/name", merged), SEQSHARE_READ), 0);
    says(reader, "A");
    equals(seqshare_reopen(reader), 0);
    equals(seqshare_open(&writer, format("%s/name", merged), SEQSHARE_WRITE), 0);
    equals(seqshare_set(writer, "B", 1), 0);
    equals(seqshare_wait(reader, 1, -1), -EIDRM);
    equals(seqshare_named(reader), 0);
    equals(seqshare_reopen(reader), 1);
    says(reader, "B");
    equals(seqshare_reopen(reader), 0);
    equals(seqshare_set(writer, "C", 1), 0);
    says(reader, "C");
    equals(seqshare_reopen(writer), 0);
}

/* Fails with: the number of the file alone, which stays the same. */
Test(follow, a_reader_notices_that_its_file_was_copied_to_another_layer)
{
    struct scene scene = moved_new();

    skip_unless_root();
    try_in_child(copies_up, &scene);
    moved_end(&scene);
}
