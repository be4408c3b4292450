/* SPDX-License-Identifier: MIT */
/* Reads /proc/self/mountinfo. */
#include "mount.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* The number of the mount that a descriptor was opened by; -1: not known. */
static long number_of(int fd)
{
    static const char key[] = "mnt_id:";
    char path[64], line[256];
    long number = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    file = fopen(path, "re");
    while (file && number < 0 && fgets(line, sizeof line, file))
        if (strncmp(line, key, sizeof key - 1) == 0)
            number = strtol(line + sizeof key - 1, NULL, 10);
    if (file)
        fclose(file);
    return number;
}

/* The kernel writes a blank, tab, line end and backslash as \ and three octal digits. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text; text++)
        if (*text == '\\' && strspn(text + 1, "01234567") >= 3) {
            *to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
            text += 3;
        } else {
            *to++ = *text;
        }
    *to = 0;
}

/* A line is: number, parent, device, root, point, options, more fields, "-", type, source, options. */
static bool parse(struct mount *mount, char *line)
{
    enum { POINT = 4, OPTIONS = 5, TYPE = 1, MORE = 3 };
    char *rest = NULL, *options = NULL, *more = NULL;
    int at = 0, behind = 0;

    for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest), at++) {
        if (at == POINT)
            mount->point = text_format("%s", word);
        else if (at == OPTIONS)
            options = word;
        else if (behind == TYPE)
            mount->type = text_format("%s", word);
        else if (behind == MORE)
            more = word;
        if (behind > 0 || (at > OPTIONS && strcmp(word, "-") == 0))
            behind++;
    }
    if (!mount->type)
        return false;
    unescape(mount->point);
    mount->options = text_format("%s,%s", options, more ? more : "");
    return true;
}

bool mount_find(struct mount *mount, int fd)
{
    long wanted = number_of(fd);
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t room = 0;
    bool found = false;

    *mount = (struct mount){0};
    while (file && !found && wanted >= 0 && getline(&line, &room, file) > 0)
        found = strtol(line, NULL, 10) == wanted && parse(mount, line);
    if (file)
        fclose(file);
    free(line);
    if (!found)
        mount_free(mount);
    return found;
}

void mount_free(struct mount *mount)
{
    free(mount->point);
    free(mount->type);
    free(mount->options);
    *mount = (struct mount){0};
}

bool mount_has(const struct mount *mount, const char *option)
{
    size_t length = strlen(option);

    for (const char *at = mount->options; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, option, length) == 0 && (at[length] == ',' || at[length] == 0))
            return true;
    }
    return false;
}
