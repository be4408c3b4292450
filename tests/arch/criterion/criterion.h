/* SPDX-License-Identifier: MIT */
/*
 * As much of Criterion as the unit tests use, for processors that Debian has a compiler for and no Criterion.
 * Each test runs in a process of its own, with a watchdog; see plain.c.
 */
#ifndef CRITERION_CRITERION_H
#define CRITERION_CRITERION_H

struct criterion_options {
    double timeout; /* seconds */
};

struct criterion_test {
    const char *suite, *name;
    void (*body)(void);
    struct criterion_test *next;
};

struct criterion_suite {
    const char *name;
    struct criterion_options options;
    struct criterion_suite *next;
};

void criterion_add_test(struct criterion_test *test);
void criterion_add_suite(struct criterion_suite *suite);

_Noreturn void cr_assert_fail(const char *text, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void cr_skip_test(const char *text, ...) __attribute__((format(printf, 1, 2)));

#define Test(suite, name)                                                                                    \
    static void suite##_##name##_body(void);                                                                 \
    __attribute__((constructor)) static void suite##_##name##_add(void)                                      \
    {                                                                                                        \
        static struct criterion_test test = {#suite, #name, suite##_##name##_body, NULL};                    \
        criterion_add_test(&test);                                                                           \
    }                                                                                                        \
    static void suite##_##name##_body(void)

#define TestSuite(suite, ...)                                                                                \
    __attribute__((constructor)) static void suite##_add(void)                                               \
    {                                                                                                        \
        static struct criterion_suite options = {#suite, {__VA_ARGS__}, NULL};                               \
        criterion_add_suite(&options);                                                                       \
    }                                                                                                        \
    extern int criterion_takes_a_semicolon

#endif
