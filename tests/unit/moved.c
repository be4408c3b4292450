/* SPDX-License-Identifier: MIT */
/* Makes what moved.h describes. */
#include "moved.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static struct layout *layout_of(const seqshare *share)
{
    int fd = seqshare_fd(share, SEQSHARE_WRITE);
    struct layout *map = mmap(NULL, sizeof *map, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    check(fd >= 0 && map != MAP_FAILED);
    close(fd);
    return map;
}

struct scene moved_in(const char *below)
{
    struct scene scene = {.folder = temp_directory(below)};

    scene.name = format("%s/name", scene.folder);
    scene.second = format("%s/second", scene.folder);
    scene.share = named_share(scene.name, "A", 0644);
    scene.other = named_share(scene.second, "B", 0644);
    scene.map = layout_of(scene.share);
    return scene;
}

struct scene moved_new(void)
{
    return moved_in("/dev/shm");
}

void moved_end(const struct scene *scene)
{
    munmap(scene->map, sizeof *scene->map);
    seqshare_close(scene->share);
    seqshare_close(scene->other);
}

void moved_mark(const struct scene *scene, uint32_t marks)
{
    __atomic_fetch_or(&scene->map->head.retired, marks, __ATOMIC_SEQ_CST);
}

uint32_t moved_marks(const struct scene *scene)
{
    return __atomic_load_n(&scene->map->head.retired, __ATOMIC_SEQ_CST);
}

void moved_over(const struct scene *scene)
{
    check(rename(scene->second, scene->name) == 0);
}
