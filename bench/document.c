/* SPDX-License-Identifier: MIT */
/* Makes the configuration that is published, and checks one that was read. */
#include "document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../src/json/grammar.h"

enum { BLANKS = 8, LINE_END = BLANKS + 1 };

/* Eight spaces; a tab (a space less 23) for each bit that is set. Bit i ends up in byte i, either endian. */
static uint64_t spell(uint64_t version)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t bits = (version & 0xff) * ones & UINT64_C(0x8040201008040201);
    uint64_t set = ((bits + (ones * 0x7f)) | bits) >> 7 & ones; /* 1 in each byte that is not 0 */

    return ones * ' ' - set * (' ' - '\t');
}

static uint64_t checksum(uint64_t sum, const unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static struct document_head head_of(const unsigned char *value)
{
    struct document_head head;

    memcpy(&head, value, sizeof head);
    return head;
}

/* The bytes of a file, malloc'ed; NULL and a reason. */
static char *file_bytes(const char *path, struct stat *file, size_t *length, char *reason, size_t size)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *bytes = NULL;
    ssize_t got = -1;

    if (descriptor < 0 || fstat(descriptor, file) != 0) {
        snprintf(reason, size, "cannot open %.100s: %s", path, strerror(errno));
    } else if (!S_ISREG(file->st_mode)) {
        snprintf(reason, size, "%.100s is not a file", path);
    } else if (file->st_size > DOCUMENT_LONGEST / 2) {
        snprintf(reason, size, "%.100s is longer than %d bytes", path, DOCUMENT_LONGEST / 2);
    } else {
        bytes = malloc((size_t)file->st_size + 1);
        if (bytes)
            got = read(descriptor, bytes, (size_t)file->st_size);
        if (got < 0) {
            snprintf(reason, size, "cannot read %.100s: %s", path, strerror(errno));
            free(bytes);
            bytes = NULL;
        }
    }
    if (descriptor >= 0)
        close(descriptor);
    *length = got > 0 ? (size_t)got : 0;
    return bytes;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = 0;

    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines + (length > 0 && text[length - 1] != '\n');
}

/* Lay the text out as it is published, with room for the blanks in each line. */
static bool lay_out(struct document *document, const char *text, size_t length)
{
    struct document_head head = {.checksum = 0};
    size_t lines = count_lines(text, length), line = 0;
    unsigned char *value = malloc(sizeof head + length + lines * LINE_END), *at;
    size_t *blanks = malloc(lines * sizeof *blanks);

    if (!value || !blanks) {
        free(value);
        free(blanks);
        return false;
    }
    at = value + sizeof head;
    for (const char *from = text, *end = text + length; from < end; line++) {
        const char *newline = memchr(from, '\n', (size_t)(end - from));
        size_t bytes = (size_t)((newline ? newline : end) - from);

        memcpy(at, from, bytes);
        head.checksum = checksum(head.checksum, at, bytes);
        blanks[line] = (size_t)(at - value) + bytes;
        at += bytes + LINE_END;
        at[-1] = '\n';
        from += bytes + 1;
    }
    free(document->value);
    free(document->blanks);
    document->value = value;
    document->blanks = blanks;
    document->lines = lines;
    document->length = (size_t)(at - value);
    head.length = document->length - sizeof head;
    memcpy(value, &head, sizeof head);
    return true;
}

bool document_load(struct document *document, char *reason, size_t size)
{
    struct stat file;
    size_t length;
    char why[JSON_WHY_SIZE];
    char *text = file_bytes(document->path, &file, &length, reason, size);
    bool loaded = false;

    if (!text)
        return false;
    if (length == 0)
        snprintf(reason, size, "%.100s is empty", document->path);
    else if (grammar_walk(text, length, NULL, NULL, why) != 0)
        snprintf(reason, size, "%.100s is %s", document->path, why);
    else if (length + count_lines(text, length) * LINE_END + sizeof(struct document_head) > DOCUMENT_LONGEST)
        snprintf(reason, size, "%.100s has too many lines for %d bytes", document->path, DOCUMENT_LONGEST);
    else if (!lay_out(document, text, length))
        snprintf(reason, size, "no memory for %.100s", document->path);
    else
        loaded = true;
    if (loaded)
        document->file = file;
    free(text);
    return loaded;
}

bool document_changed(const struct document *document)
{
    const struct stat *then = &document->file;
    struct stat now;

    return stat(document->path, &now) == 0 &&
           (now.st_mtim.tv_sec != then->st_mtim.tv_sec || now.st_mtim.tv_nsec != then->st_mtim.tv_nsec ||
            now.st_size != then->st_size || now.st_ino != then->st_ino || now.st_dev != then->st_dev);
}

void document_stamp(struct document *document, uint64_t version)
{
    uint64_t spelt = spell(version);

    memcpy(document->value, &version, sizeof version); /* the head's first member */
    for (size_t i = 0; i < document->lines; i++)
        memcpy(document->value + document->blanks[i], &spelt, BLANKS);
}

void document_free(struct document *document)
{
    free(document->value);
    free(document->blanks);
    document->value = NULL;
    document->blanks = NULL;
}

uint64_t document_check_ends(const unsigned char *value, size_t length)
{
    struct document_head head = head_of(value);
    uint64_t last;

    if (length < sizeof head + LINE_END || head.length != length - sizeof head)
        return 0;
    memcpy(&last, value + length - LINE_END, BLANKS);
    return last == spell(head.version) ? head.version : 0;
}

bool document_check_whole(const unsigned char *value, size_t length)
{
    struct document_head head = head_of(value);
    const unsigned char *at = value + sizeof head, *end = value + length;
    uint64_t spelt = spell(head.version), sum = 0;

    if (document_check_ends(value, length) == 0)
        return false;
    while (at < end) {
        const unsigned char *newline = memchr(at, '\n', (size_t)(end - at));

        if (!newline || newline - at < BLANKS || memcmp(newline - BLANKS, &spelt, BLANKS) != 0)
            return false;
        sum = checksum(sum, at, (size_t)(newline - at) - BLANKS);
        at = newline + 1;
    }
    return sum == head.checksum;
}
