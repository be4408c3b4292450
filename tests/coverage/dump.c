/* SPDX-License-Identifier: MIT */
/*
 * Linked into every test program here, with -Wl,--wrap=_exit: children that end by _exit leave their counts
 * behind as well. (A process that is killed does not.)
 */
#include <unistd.h>

void __gcov_dump(void);
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
