/* SPDX-License-Identifier: MIT */
/* Colours, and the screen of `top`. */
#include "terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

bool terminal_for_people(void)
{
    return isatty(STDOUT_FILENO);
}

static bool colours_wanted(void)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    return terminal_for_people() && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

const char *terminal_colour_on(enum colour colour)
{
    static const char *const codes[] = {
        [PLAIN] = "",        [BOLD] = "\033[1m",     [FAINT] = "\033[2m",
        [GOOD] = "\033[32m", [NOTABLE] = "\033[33m", [BAD] = "\033[31m",
    };

    return colours_wanted() ? codes[colour] : "";
}

const char *terminal_colour_off(enum colour colour)
{
    return colour != PLAIN && colours_wanted() ? "\033[0m" : "";
}

static struct termios before;
static volatile sig_atomic_t taken, keys_taken;

static void say(const char *codes)
{
    if (write(STDOUT_FILENO, codes, strlen(codes)) < 0)
        return; /* the terminal is gone: nothing to tidy */
}

void terminal_take(void)
{
    struct termios keys;

    if (!terminal_for_people())
        return;
    say("\033[?1049h\033[?25l"); /* the other screen, no cursor */
    taken = 1;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return;
    keys = before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    keys_taken = tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
}

void terminal_restore(void)
{
    if (keys_taken)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (taken)
        say("\033[?25h\033[?1049l");
    taken = keys_taken = 0;
}

void terminal_size(int *rows, int *columns)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){.ws_row = 24, .ws_col = 80};
    *rows = size.ws_row;
    *columns = size.ws_col;
}
