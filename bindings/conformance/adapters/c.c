/* SPDX-License-Identifier: MIT */
/*
 * C: libseqshare-json. A request may be some megabytes long.
 *
 *     cc -o c c.c $(pkg-config --cflags --libs seqshare-json json-c)
 */
#include <json-c/json.h>
#include <seqshare/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t from_hexadecimal(char *line)
{
    size_t length = strlen(line) / 2;
    unsigned byte;

    for (size_t i = 0; i < length; i++) {
        sscanf(line + 2 * i, "%2x", &byte);
        line[i] = (char)byte;
    }
    return length;
}

static void publish(seqshare *share, char *text)
{
    char why[SEQSHARE_JSON_WHY_SIZE];
    const size_t length = from_hexadecimal(text);
    const int error = seqshare_json_publish(share, text, length, why);

    if (error)
        printf("refused %s\n", error == -EBADMSG ? why : seqshare_strerror(error));
    else
        puts("ok");
}

static void print_snapshot(seqshare_cache *cache)
{
    const seqshare_json *document = seqshare_cache_get(cache);
    struct seqshare_cache_stat stat;
    const char *text;

    seqshare_cache_stat(cache, &stat);
    if (!document) {
        printf("none %s\n", seqshare_strerror(stat.failed_error));
        return;
    }
    /* The value is json-c's; to json-c, NULL is null. */
    text = json_object_to_json_string_ext((struct json_object *)(uintptr_t)seqshare_json_find(document, ""),
                                          JSON_C_TO_STRING_PLAIN);
    printf("ok %llu ", (unsigned long long)stat.version);
    for (; *text; text++)
        printf("%02x", (unsigned char)*text);
    putchar('\n');
}

int main(int argc, char **argv)
{
    static const char word[] = "publish ";
    seqshare *share;
    seqshare_cache *cache;
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    if (argc != 2 || seqshare_open(&share, argv[1], SEQSHARE_WRITE) != 0 ||
        seqshare_cache_new(&cache, share, seqshare_json_decode, seqshare_json_destroy, NULL) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    while ((length = getline(&line, &room, stdin)) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, word, strlen(word)) == 0)
            publish(share, line + strlen(word));
        else
            print_snapshot(cache);
        fflush(stdout);
    }
    free(line);
    seqshare_cache_close(cache);
    seqshare_close(share);
    return 0;
}
