/* SPDX-License-Identifier: MIT */
/* The message of a comparison that fails. */
#include "check.h"

#include <stdio.h>

void check_differs(const char *file, int line, const char *text, intmax_t got, intmax_t wanted)
{
    char message[400];

    snprintf(message, sizeof message, "%.300s is %jd, not %jd", text, got, wanted);
    check_failed(file, line, message);
}
