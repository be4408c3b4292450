/* SPDX-License-Identifier: MIT */
/* Medians and percentiles, and numbers as short words. */
#include "numbers.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static int compare_samples(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

double median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare_doubles);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

void sort_samples(uint32_t *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare_samples);
}

double percentile(const uint32_t *sorted, size_t count, double part)
{
    size_t at = (size_t)((double)count * part);

    if (count == 0)
        return 0;
    return sorted[at < count ? at : count - 1];
}

static char *next_buffer(size_t *size)
{
    static char buffers[16][24];
    static unsigned turn;

    *size = sizeof buffers[0];
    return buffers[turn++ % 16];
}

/* Three digits and a unit; units are `step` apart. */
static const char *scaled(const char *sign, double number, double step, const char *const *unit, size_t units)
{
    size_t size, i = 0;
    char *text = next_buffer(&size);

    while (i + 1 < units && number >= step * 0.9995) {
        number /= step;
        i++;
    }
    snprintf(text, size, "%s%.*f%s", sign, number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2, number, unit[i]);
    return text;
}

static const char *const ns_unit[] = {" ns", " us", " ms", " s"};

const char *ns_text(double ns)
{
    return scaled("", ns, 1000, ns_unit, 4);
}

const char *read_text(double ns)
{
    static double blur;

    if (blur == 0)
        blur = (double)clock_blur();
    return ns < blur ? scaled("<", blur, 1000, ns_unit, 4) : ns_text(ns);
}

const char *count_text(double count)
{
    static const char *const unit[] = {"", " k", " M", " G"};

    return scaled("", count, 1000, unit, 4);
}

const char *bytes_text(size_t bytes)
{
    static const char *const unit[] = {"B", "KiB", "MiB", "GiB"};
    double number = (double)bytes;
    size_t size, i = 0;
    char *text = next_buffer(&size);

    while (i < 3 && number >= 1024) {
        number /= 1024;
        i++;
    }
    snprintf(text, size, "%.*f %s", number < 10 && number != (double)(int)number ? 1 : 0, number, unit[i]);
    return text;
}
