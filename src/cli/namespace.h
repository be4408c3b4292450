/* SPDX-License-Identifier: MIT */
/* Other PID and time namespaces and boots, as far as this process sees them. */
#ifndef SEQSHARE_CLI_NAMESPACE_H
#define SEQSHARE_CLI_NAMESPACE_H

#include <stdint.h>

/* A process in that PID namespace, or 0: we see none. */
int namespace_process(uint64_t pid_namespace);

/*
 * Why this process cannot write the region, as stat's `foreign` says, in words: "another PID namespace made the
 * region".
 */
const char *namespace_foreign_in_words(int foreign);

#endif
