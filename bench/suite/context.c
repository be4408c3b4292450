/* SPDX-License-Identifier: MIT */
/* What the figures were measured on and with. */
#include <stdio.h>
#include <sys/utsname.h>

#include <seqshare/seqshare.h>

#include "../clock.h"
#include "../process.h"
#include "suite.h"

#ifdef __clang__
#define COMPILER __VERSION__ /* has its name in it */
#else
#define COMPILER "gcc " __VERSION__
#endif

const char *const *suite_context(void)
{
    static char processor[128], cores[16], kernel[2 * sizeof((struct utsname *)0)->release], version[32],
        clock[48];
    static const char *const context[] = {"processor", processor,  "cores",  cores,      "kernel",
                                          kernel,      "compiler", COMPILER, "seqshare", version,
                                          "clock",     clock,      NULL};
    struct utsname system;

    processor_name(processor, sizeof processor);
    snprintf(cores, sizeof cores, "%u", processor_count());
    if (uname(&system) == 0)
        snprintf(kernel, sizeof kernel, "%s %s", system.sysname, system.release);
    snprintf(version, sizeof version, "%d.%d.%d", SEQSHARE_VERSION_MAJOR, SEQSHARE_VERSION_MINOR,
             SEQSHARE_VERSION_PATCH);
    snprintf(clock, sizeof clock, "a look costs %lld ns, and varies by %lld ns", (long long)clock_cost(),
             (long long)clock_blur());
    return context;
}
