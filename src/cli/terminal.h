/* SPDX-License-Identifier: MIT */
/* Output for people if standard output is a terminal, and the terminal itself for `top`. */
#ifndef SEQSHARE_CLI_TERMINAL_H
#define SEQSHARE_CLI_TERMINAL_H

#include <stdbool.h>

enum colour { PLAIN, BOLD, FAINT, GOOD, NOTABLE, BAD };

/* Is standard output a terminal? */
bool terminal_for_people(void);

/* Begin and end a colour; "" if there must be none (no terminal, NO_COLOR, TERM=dumb). */
const char *terminal_colour_on(enum colour colour);
const char *terminal_colour_off(enum colour colour);

/* A screen of its own, keys without echo. terminal_restore, which a signal handler may call, undoes it. */
void terminal_take(void);
void terminal_restore(void);

void terminal_size(int *rows, int *columns);

#endif
