/* SPDX-License-Identifier: MIT */
/*
 * A table of routes with a parser of its own: a line is a prefix and a server. The cache parses each version once.
 * For the path that it is given, the program prints the server, and again whenever that changes.
 */
#include <errno.h>
#include <seqshare/cache.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct routes {
    int count;
    struct {
        char prefix[64], server[64];
    } route[1000];
};

/* A cache calls it with a private copy of the value. NULL: the last good table stays in use. */
static void *parse_routes(void *bytes, size_t length, uint64_t version, void *context)
{
    struct routes *routes = calloc(1, sizeof *routes);
    char *rest, *line = strtok_r(bytes, "\n", &rest);

    (void)length;
    (void)version;
    (void)context;
    for (; routes && line; line = strtok_r(NULL, "\n", &rest), routes->count++) {
        if (routes->count == 1000 || sscanf(line, "%63s %63s", routes->route[routes->count].prefix,
                                            routes->route[routes->count].server) != 2) {
            free(routes);
            errno = EBADMSG;
            return NULL;
        }
    }
    return routes;
}

/* The server of the longest prefix of the path. */
static const char *find(const struct routes *routes, const char *path)
{
    const char *server = "nobody";
    size_t longest = 0;

    for (int i = 0; routes && i < routes->count; i++) {
        size_t length = strlen(routes->route[i].prefix);

        if (length > longest && strncmp(path, routes->route[i].prefix, length) == 0) {
            longest = length;
            server = routes->route[i].server;
        }
    }
    return server;
}

static void serve(seqshare_cache *cache, const char *path)
{
    char last[64] = "";
    uint64_t failed = 0;
    struct seqshare_cache_stat stat;

    for (;; usleep(100000)) { /* here, a request arrives */
        const char *server = find(seqshare_cache_get(cache), path);

        if (strcmp(server, last) != 0)
            printf("%s: %s\n", path, strcpy(last, server));
        seqshare_cache_stat(cache, &stat);
        if (stat.failed != failed)
            printf("version %d cannot be parsed, %d stays\n", (int)stat.failed_version, (int)stat.version);
        failed = stat.failed;
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    seqshare *share;
    seqshare_cache *cache;
    int error = argc == 2 ? seqshare_open(&share, "routes", SEQSHARE_READ) : -EINVAL;

    if (!error)
        error = seqshare_cache_new(&cache, share, parse_routes, free, NULL);
    if (error) {
        fprintf(stderr, "usage: routes PATH: %s\n", seqshare_strerror(error));
        return 1;
    }
    serve(cache, argv[1]);
}
