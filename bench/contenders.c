/* SPDX-License-Identifier: MIT */
/* The list of contenders. A new one is a file in contenders/ and a line here. */
#include "contender.h"

#include <string.h>

extern const struct contender contender_seqshare, contender_seqshare_version, contender_mutex,
    contender_mutex_robust, contender_rwlock, contender_semaphore, contender_file, contender_unprotected;

const struct contender *const contenders[] = {
    &contender_seqshare,     &contender_seqshare_version, &contender_mutex,
    &contender_mutex_robust, &contender_rwlock,           &contender_semaphore,
    &contender_file,         &contender_unprotected,      NULL,
};

const struct contender *contender_find(const char *name)
{
    for (size_t i = 0; contenders[i]; i++)
        if (strcmp(contenders[i]->name, name) == 0)
            return contenders[i];
    return NULL;
}
