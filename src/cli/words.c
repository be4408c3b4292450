/* SPDX-License-Identifier: MIT */
/* Sizes, ages and times in short words. */
#include "words.h"

#include <stdio.h>
#include <time.h>

#include "now.h"

const char *words_size(char word[WORD_SIZE], uint64_t bytes)
{
    static const char units[] = " KMGTPE";
    double size = (double)bytes;
    int unit = 0;

    for (; size >= 1024 && units[unit + 1]; unit++)
        size /= 1024;
    if (unit == 0)
        snprintf(word, WORD_SIZE, "%llu", (unsigned long long)bytes);
    else
        snprintf(word, WORD_SIZE, "%.*f%c", size < 10 && size != (double)(uint64_t)size ? 1 : 0, size,
                 units[unit]);
    return word;
}

const char *words_age(char word[WORD_SIZE], int64_t since)
{
    int64_t seconds = (now_since_1970() - since) / NS_PER_SECOND;

    if (seconds < 0) /* the clock was set back */
        seconds = 0;
    if (seconds < 60)
        snprintf(word, WORD_SIZE, "%ds", (int)seconds);
    else if (seconds / 60 < 60)
        snprintf(word, WORD_SIZE, "%dm", (int)(seconds / 60));
    else if (seconds / 3600 < 48)
        snprintf(word, WORD_SIZE, "%dh", (int)(seconds / 3600));
    else
        snprintf(word, WORD_SIZE, "%lldd", (long long)(seconds / 86400));
    return word;
}

const char *words_time(char word[WORD_SIZE], int64_t when)
{
    time_t seconds = (time_t)(when / NS_PER_SECOND);
    struct tm local;

    if (!localtime_r(&seconds, &local) || strftime(word, WORD_SIZE, "%Y-%m-%d %H:%M:%S", &local) == 0)
        snprintf(word, WORD_SIZE, "%lld", (long long)seconds);
    return word;
}
