/* SPDX-License-Identifier: MIT */
/* Starts a server for a contender, connects to it, and ends it. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../clock.h"
#include "../process.h"

static const int64_t patience = INT64_C(10) * SECOND;
enum { CANNOT_RUN = 127 };

/* A session of its own: the Ctrl-C that ends the bench is not for the server, which is stopped afterwards. */
static void become(char *const arguments[])
{
    int nowhere = open("/dev/null", O_RDWR);

    setsid();
    processor_use_any();
    for (int file = 0; file <= STDERR_FILENO; file++)
        dup2(nowhere, file);
    execvp(arguments[0], arguments);
    _exit(CANNOT_RUN);
}

static bool answers(const struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected;

    memcpy(address.sun_path, server->socket, sizeof address.sun_path);
    connected = connect(client, (const struct sockaddr *)&address, sizeof address) == 0;
    close(client);
    return connected;
}

/* Until it takes connections. */
static int wait_for(struct server *server)
{
    int64_t deadline = clock_now() + patience;
    int status;

    while (!answers(server)) {
        if (waitpid(server->process, &status, WNOHANG) == server->process) {
            server->process = 0;
            return WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_RUN ? -EOPNOTSUPP : -EIO;
        }
        if (clock_now() > deadline)
            return -ETIMEDOUT;
        clock_sleep(MILLISECOND);
    }
    return 0;
}

int server_start(struct server *server, char *const arguments[])
{
    server->process = process_fork();
    if (server->process < 0)
        return server->process;
    if (server->process == 0)
        become(arguments);
    return wait_for(server);
}

/* It has nothing to save. */
void server_destroy(void *store)
{
    struct server *server = store;

    process_kill(&server->process);
    unlink(server->socket);
    free(server);
}

int server_create(const struct contender_setup *setup, server_starter *start, void **store)
{
    struct server *made = calloc(1, sizeof *made);
    int error = -ENAMETOOLONG;

    if (!made)
        return -ENOMEM;
    if (snprintf(made->socket, sizeof made->socket, "%s/socket", setup->directory) < (int)sizeof made->socket)
        error = start(setup, made);
    if (error == 0)
        *store = made;
    else
        server_destroy(made);
    return error;
}
