/* SPDX-License-Identifier: MIT */
/*
 * A program that knows a share by its descriptor or name alone:
 *
 *     unit-program fd:7|NAME EXPECTED [NEW]
 *
 * reads the value, which must be EXPECTED, through a read-only share; or, with NEW, sets that afterwards.
 */
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int get_at(seqshare **share, const char *place, int access)
{
    if (strncmp(place, "fd:", 3) == 0)
        return seqshare_attach(share, atoi(place + 3), access);
    return seqshare_open(share, place, access);
}

int main(int count, char **arguments)
{
    const char *new_value = count > 3 ? arguments[3] : NULL;
    seqshare *share = NULL;
    char value[1000] = "";
    int error;
    ssize_t length;

    if (count < 3)
        return 2;
    error = get_at(&share, arguments[1], new_value ? SEQSHARE_WRITE : SEQSHARE_READ);
    length = error ? error : seqshare_get(share, value, sizeof value - 1, NULL);
    if (length < 0 || strcmp(value, arguments[2]) != 0) {
        fprintf(stderr, "%s: '%s', expected '%s': %s\n", arguments[1], value, arguments[2],
                seqshare_strerror(length < 0 ? (int)length : 0));
        return 1;
    }
    if (new_value)
        error = seqshare_set(share, new_value, strlen(new_value));
    else if (seqshare_set(share, "x", 1) != -EROFS)
        error = 1;
    seqshare_close(share);
    return error ? 1 : 0;
}
