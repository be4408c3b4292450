/* SPDX-License-Identifier: MIT */
/*
 * The document: the configuration file as it is published, made so that every publication can be told from
 * every other and a torn one from a whole one.
 *
 * The value is a small head and the text of the file. Before the end of each line stand eight blanks, spaces
 * and tabs, that spell the low byte of the version: the text stays the same JSON, and two publications that
 * follow each other have no line in common. So a mixture of two shows in every line that is not of the
 * version in the head. A checksum over the lines without their blanks covers what the blanks do not.
 */
#ifndef BENCH_DOCUMENT_H
#define BENCH_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { DOCUMENT_LONGEST = 1 << 20 }; /* bytes, as it is published */

struct document_head {
    uint64_t version;
    uint64_t length;   /* of the text */
    uint64_t checksum; /* of the text without the blanks */
};

struct document {
    const char *path;
    struct stat file;     /* when it was read */
    unsigned char *value; /* head and text */
    size_t length;        /* of the value */
    size_t *blanks;       /* where in the value each line has them */
    size_t lines;
};

/*
 * Read the file. When it cannot be, nothing has changed, `reason` (of at least 200 bytes) says why in a
 * sentence, and false is returned. A document that is all zeros but for its path has nothing to lose.
 */
bool document_load(struct document *document, char *reason, size_t size);

/* Has the file been changed since it was read? (Its time, its size, or another file in its place.) */
bool document_changed(const struct document *document);

/* Make it the publication of `version`: a few stores per line. */
void document_stamp(struct document *document, uint64_t version);

void document_free(struct document *document);

/*
 * The version of a value if its first and its last line belong together, 0 if not. A few instructions: made
 * for every read. What overtakes a copy, or is overtaken by it, leaves another version at one of the ends.
 */
uint64_t document_check_ends(const unsigned char *value, size_t length);

/* Is all of it of one version? Reads every byte: made now and then. */
bool document_check_whole(const unsigned char *value, size_t length);

#endif
