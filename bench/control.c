/* SPDX-License-Identifier: MIT */
/* Makes the memory by which the benchmark directs its workers. */
#include "control.h"

#include <sys/mman.h>

struct control *control_create(unsigned workers)
{
    size_t mapped = sizeof(struct control) + workers * sizeof(struct worker_log);
    struct control *control =
        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (control == MAP_FAILED)
        return NULL;
    control->mapped = mapped;
    control->workers = workers;
    return control;
}

void control_destroy(struct control *control)
{
    munmap(control, control->mapped);
}
