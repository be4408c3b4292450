/* SPDX-License-Identifier: MIT */
/*
 * A name moves on: by a process that is killed on the way, by hand, or by a mount. Whoever holds the old region
 * hears of it: a writer before it stores anything, the others when they ask the name.
 *
 * Where a process is killed on the way is played here: the mark that it leaves is set by hand. (tests/crash
 * kills it at every instruction.)
 *
 * Shows: NAME-2, NAME-3, NAME-8, WAIT-4.
 */
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layout.h"

TestSuite(follow, .timeout = 120);

struct scene {
    const char *folder, *name;
    seqshare *share;    /* of the region A, value "A", which has the name at first */
    struct layout *map; /* of A */
    const char *second; /* the name of the region B, value "B" */
    seqshare *other;    /* of B */
};

static struct layout *layout_of(const seqshare *share)
{
    int fd = seqshare_fd(share, SEQSHARE_WRITE);
    struct layout *map = mmap(NULL, sizeof *map, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    check(fd >= 0 && map != MAP_FAILED);
    close(fd);
    return map;
}

static struct scene scene_in(const char *below)
{
    struct scene scene = {.folder = temp_directory(below)};

    scene.name = format("%s/name", scene.folder);
    scene.second = format("%s/second", scene.folder);
    scene.share = named_share(scene.name, "A", 0644);
    scene.other = named_share(scene.second, "B", 0644);
    scene.map = layout_of(scene.share);
    return scene;
}

static struct scene scene_new(void)
{
    return scene_in("/dev/shm");
}

static void end(const struct scene *scene)
{
    munmap(scene->map, sizeof *scene->map);
    seqshare_close(scene->share);
    seqshare_close(scene->other);
}

static void mark(const struct scene *scene, uint32_t marks)
{
    __atomic_fetch_or(&scene->map->head.retired, marks, __ATOMIC_SEQ_CST);
}

static uint32_t marks(const struct scene *scene)
{
    return __atomic_load_n(&scene->map->head.retired, __ATOMIC_SEQ_CST);
}

/* B takes the name, as a replacer that was killed before it could say so would leave it. */
static void move(const struct scene *scene)
{
    check(rename(scene->second, scene->name) == 0);
}

/* ---- every way to write, for whoever holds A ---- */

static int by_set(seqshare *share)
{
    return seqshare_set(share, "x", 1);
}

static int by_typed(seqshare *share)
{
    return seqshare_set_typed(share, "x", 1, 7);
}

static int by_set_if(seqshare *share)
{
    uint64_t version = seqshare_version(share);

    return seqshare_set_if(share, &version, "x", 1);
}

static int by_fill(seqshare *share)
{
    void *slot;
    int error = seqshare_fill(share, 1, &slot);

    return error ? error : seqshare_publish(share, 1);
}

static int by_lock(seqshare *share)
{
    int error = seqshare_lock(share);

    return error ? error : seqshare_unlock(share);
}

static int by_trylock(seqshare *share)
{
    int error = seqshare_trylock(share);

    return error ? error : seqshare_unlock(share);
}

static int (*const ways[])(seqshare *share) = {by_set, by_typed, by_set_if, by_fill, by_lock, by_trylock};
enum { WAYS = sizeof ways / sizeof *ways };

/* Fails with: writers that do not ask the name when the mark stands. */
Test(follow, a_writer_finds_what_a_killed_replacer_left)
{
    static const uint32_t left[] = {SEQSHARE_LOOK, SEQSHARE_LOOK_OUTSIDE};

    for (int mark_left = 0; mark_left < 2; mark_left++) {
        for (int way = 0; way < WAYS; way++) {
            struct scene scene = scene_new();
            struct seqshare_stat stat;

            mark(&scene, left[mark_left]);
            move(&scene);
            equals(ways[way](scene.share), -EIDRM);
            lock_is_free(scene.other);
            holds(scene.share, "A", 1);
            equals(seqshare_stat(scene.share, &stat), 0);
            check(stat.retired && stat.replaced && !stat.unlinked && stat.owner == 0);
            equals(seqshare_wait(scene.share, 1, -1), -EIDRM);
            equals(seqshare_reopen(scene.share), 1);
            equals(ways[way](scene.share), 0);
            end(&scene);
        }
    }
}

static void *waits_without_a_name(void *share)
{
    equals(seqshare_wait(share, 1, -1), -EIDRM);
    return NULL;
}

/* Fails with: a mark that wakes nobody. (A handle without a name hears of nothing but marks.) */
Test(follow, a_writer_that_finds_the_name_moved_wakes_those_who_wait)
{
    struct scene scene = scene_new();
    seqshare *nameless = another_handle(scene.share, SEQSHARE_READ);
    pthread_t waiter;

    equals(pthread_create(&waiter, NULL, waits_without_a_name, nameless), 0);
    mark(&scene, SEQSHARE_LOOK);
    move(&scene);
    equals(seqshare_set(scene.share, "x", 1), -EIDRM);
    equals(pthread_join(waiter, NULL), 0);
    seqshare_close(nameless);
    end(&scene);
}

/* Fails with: a mark that stays and costs every write a system call; or one that refuses by itself. */
Test(follow, of_a_replacer_killed_before_it_moved_the_name_nothing_is_left)
{
    for (int way = 0; way < WAYS; way++) {
        struct scene scene = scene_new();
        struct seqshare_stat stat;

        mark(&scene, SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE);
        check(seqshare_retired(scene.share));    /* worth a try, */
        equals(seqshare_reopen(scene.share), 0); /* and nothing has moved */
        equals(seqshare_stat(scene.share, &stat), 0);
        check(stat.retired && !stat.replaced && !stat.unlinked);
        equals(ways[way](scene.share), 0);
        equals(marks(&scene), SEQSHARE_LOOK_OUTSIDE); /* its setter may live, and owns no lock */
        equals(ways[way](scene.share), 0);
        end(&scene);
    }
}

Test(follow, a_name_that_leads_nowhere_lets_writers_go_on)
{
    struct scene scene = scene_new();

    mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    check(rename(scene.name, format("%s/elsewhere", scene.folder)) == 0);
    equals(seqshare_set(scene.share, "x", 1), 0);
    equals(marks(&scene), SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_reopen(scene.share), -ENOENT);
    end(&scene);
}

/* The old file has a name yet, a temporary one: the replacer was killed before it had removed that. */
static void sets_from_a_cage(void *context)
{
    struct scene *scene = context;
    int folder = open(scene->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    equals(seqshare_set(scene->share, "A", 1), 0);
    if (chroot(scene->folder) != 0 || chdir("/") != 0)
        _exit(NOT_POSSIBLE);
    mark(scene, SEQSHARE_LOOK);
    check(renameat(folder, "name", folder, ".seqshare-0123456789abcdef") == 0);
    check(renameat(folder, "second", folder, "name") == 0);
    equals(seqshare_set(scene->share, "x", 1), -EIDRM);
    equals(marks(scene), SEQSHARE_LOOK);
}

/* Fails with: a missing name that counts as one that has not moved: the set is lost, and the mark is gone. */
Test(follow, a_writer_that_cannot_see_the_name_does_not_store_where_it_may_have_moved)
{
    struct scene scene = scene_new();

    skip_unless_root();
    try_in_child(sets_from_a_cage, &scene);
    says(scene.share, "A");
    equals(seqshare_set(scene.share, "x", 1), -EIDRM);
    equals(marks(&scene) & SEQSHARE_REPLACED, SEQSHARE_REPLACED);
    end(&scene);
}

/* Fails with: an unlink that is killed before its mark, so that nobody learns of it. */
Test(follow, a_writer_finds_what_a_killed_unlink_left)
{
    struct scene scene = scene_new();
    struct seqshare_stat stat;

    mark(&scene, SEQSHARE_LOOK);
    check(unlink(scene.name) == 0);
    check(seqshare_retired(scene.share));
    equals(seqshare_set(scene.share, "goes on", 7), 0);
    equals(marks(&scene), SEQSHARE_UNLINKED);
    equals(seqshare_stat(scene.share, &stat), 0);
    check(stat.unlinked && !stat.replaced);
    says(scene.share, "goes on");
    end(&scene);
}

Test(follow, under_ones_own_lock_each_write_asks)
{
    struct scene scene = scene_new();

    equals(seqshare_lock(scene.share), 0);
    mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_set(scene.share, "1", 1), 0);
    move(&scene);
    equals(seqshare_set(scene.share, "2", 1), -EIDRM);
    says(scene.share, "1");
    equals(seqshare_unlock(scene.share), 0);
    equals(seqshare_reopen(scene.share), 1);
    end(&scene);
}

/* ---- where the name does not answer ---- */

/* Fails with: a set that says 0, and may be in a region without a name. */
Test(follow, a_handle_without_a_name_does_not_write_where_the_name_may_have_moved)
{
    struct scene scene = scene_new();
    seqshare *nameless = another_handle(scene.share, SEQSHARE_WRITE);

    mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_set(nameless, "1", 1), 0);
    mark(&scene, SEQSHARE_LOOK);
    equals(seqshare_set(nameless, "2", 1), -EIDRM);
    equals(marks(&scene), SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE); /* it knows nothing, and says nothing */
    says(scene.share, "1");
    equals(seqshare_set(scene.share, "3", 1), 0); /* one that can ask the name settles it */
    equals(seqshare_set(nameless, "4", 1), 0);
    seqshare_close(nameless);
    end(&scene);
}

static void cannot_ask(void *context)
{
    const struct scene *scene = context;

    equals(seqshare_set(scene->share, "1", 1), 0);
    mark(scene, SEQSHARE_LOOK);
    equals(seqshare_set(scene->share, "2", 1), -EIDRM);
    equals(marks(scene), SEQSHARE_LOOK | SEQSHARE_LOOK_OUTSIDE);
    equals(seqshare_reopen(scene->share), -EACCES);
    equals(seqshare_named(scene->share), -EACCES);
    equals(seqshare_wait(scene->share, seqshare_version(scene->share), MILLISECONDS), -ETIMEDOUT);
}

Test(follow, nor_does_one_that_may_not_search_the_folder)
{
    struct scene scene;

    skip_unless_root();
    scene = scene_new();
    check(chmod(scene.folder, 0700) == 0);
    mark(&scene, SEQSHARE_LOOK_OUTSIDE);
    child_run_as(NOBODY, cannot_ask, &scene);
    says(scene.share, "1");
    end(&scene);
}

/* ---- a replacer in another PID namespace, who may not lock ---- */

static void replaces_inside(void *context)
{
    const struct scene *scene = context;
    seqshare *made = NULL;

    equals(seqshare_set(scene->share, "x", 1), -EOPNOTSUPP);
    equals(seqshare_replace(&made, scene->name, 100, 0600), 0);
    seqshare_close(made);
}

static void replaces_outside(void *context)
{
    int status = -1;
    pid_t child;

    if (unshare(CLONE_NEWPID) != 0)
        _exit(NOT_POSSIBLE);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* an alarm means nothing to a namespace's first process */
        replaces_inside(context);
        _exit(0);
    }
    check(child > 0 && waitpid(child, &status, 0) == child);
    equals(status, 0);
}

/* Fails with: a region that is left unmarked, of which neither writers nor readers hear. */
Test(follow, a_replacer_in_another_namespace_tells_those_outside)
{
    struct scene scene = scene_new();
    seqshare *nameless = another_handle(scene.share, SEQSHARE_READ);

    skip_unless_root();
    try_in_child(replaces_outside, &scene);
    equals(marks(&scene), SEQSHARE_REPLACED);
    equals(seqshare_wait(nameless, 1, -1), -EIDRM);
    equals(seqshare_set(scene.share, "x", 1), -EIDRM);
    equals(seqshare_reopen(scene.share), 1);
    holds(scene.share, "A", 1);
    equals(seqshare_set(scene.share, "x", 1), -EOPNOTSUPP); /* the new one is of that namespace */
    equals(entries(scene.folder), 2);
    seqshare_close(nameless);
    end(&scene);
}

/* An owner publishes between the replacer's copy and its own unlock: true if it was in time. */
static bool publishes_late(struct scene *scene)
{
    int64_t before = now();
    bool in_time;
    pid_t replacer;
    void *slot;

    equals(seqshare_fill(scene->share, 4, &slot), 0);
    memcpy(slot, "late", 4);
    replacer = child_start(replaces_outside, scene);
    while (!(marks(scene) & SEQSHARE_REPLACED)) {
        int status;

        before = now();
        if (waitpid(replacer, &status, WNOHANG) == replacer)
            skip_or_succeed(WEXITSTATUS(status));
    }
    equals(seqshare_publish(scene->share, 4), 0);
    in_time = now() - before < 500 * MILLISECONDS; /* its patience is a second */
    equals(child_end(replacer), 0);
    equals(seqshare_reopen(scene->share), 1);
    if (in_time)
        holds(scene->share, "late", 2);
    return in_time;
}

/* Fails with: a replacer that does not read again, or does so while the lock is not free. */
Test(follow, and_takes_along_what_an_owner_publishes_meanwhile)
{
    bool done = false;

    skip_unless_root();
    for (int tries = 0; tries < 20 && !done; tries++) {
        struct scene scene = scene_new();

        done = publishes_late(&scene);
        end(&scene);
    }
    if (!done)
        cr_skip_test("this machine is too busy");
}

/* ---- seqshare_named ---- */

Test(follow, named_says_where_the_name_leads)
{
    struct scene scene = scene_new();
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
    end(&scene);
}

/* ---- whoever waits hears of what was done by hand ---- */

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
        struct scene scene = scene_new();

        moves_under(&scene, access, act);
        end(&scene);
    }
}

Test(follow, wait_notices_a_file_that_is_moved_over_the_name)
{
    notices(move);
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
    struct scene scene = scene_new();

    skip_unless_root();
    try_in_child(mounts_over, &scene);
    end(&scene);
}

/*
 * Fails with: a wait that says -EIDRM for whatever has the name: reopen says no, and whoever waits turns round
 * and round.
 */
Test(follow, wait_sleeps_on_while_the_name_leads_nowhere_or_to_no_share)
{
    struct scene scene = scene_new();

    check(unlink(scene.name) == 0);
    equals(seqshare_wait(scene.share, 1, MILLISECONDS), -ETIMEDOUT);
    check(close(open(scene.name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    mark(&scene, SEQSHARE_LOOK_OUTSIDE); /* so that it asks at once */
    equals(seqshare_wait(scene.share, 1, 0), -ETIMEDOUT);
    equals(seqshare_reopen(scene.share), -EBADMSG);
    says(scene.share, "A");
    move(&scene);
    mark(&scene, SEQSHARE_UNLINKED);
    equals(seqshare_wait(scene.share, 1, 0), -EIDRM);
    equals(seqshare_reopen(scene.share), 1);
    says(scene.share, "B");
    end(&scene);
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
    struct scene scene = scene_new();
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
    end(&scene);
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
    struct scene scene = scene_new();

    skip_unless_root();
    try_in_child(mounts_the_file, &scene);
    end(&scene);
}

/* ---- a layered file system ---- */

/* Whoever opens a file there for writing makes a copy in the upper layer, and what others mapped stays below. */
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
    struct scene scene = scene_new();

    skip_unless_root();
    try_in_child(copies_up, &scene);
    end(&scene);
}
