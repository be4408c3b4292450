/* SPDX-License-Identifier: MIT */
/* Numbers and the like, from words on the command line. */
#ifndef SEQSHARE_CLI_PARSE_H
#define SEQSHARE_CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All of `text`, or false. */
bool parse_number(const char *text, uint64_t *number);
bool parse_size(const char *text, size_t *size);   /* 4096, 64K, 1M, 2G, 1T; more than 0 */
bool parse_seconds(const char *text, int64_t *ns); /* 3, 0.5; no more than 10^9 */
bool parse_mode(const char *text, mode_t *mode);   /* 640 */
bool parse_tag(const char *text, uint32_t *tag);   /* 8 hexadecimal digits, as stat shows them */

#endif
