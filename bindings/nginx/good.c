/* SPDX-License-Identifier: MIT */
/*
 * The last good document, in memory that the master makes and all workers inherit. The worker that finds a new one
 * keeps it here, and all use it. Nobody can cut this memory, so it may be read where it is mapped.
 *
 * It outlives a configuration: the next one attaches the same memory, so that old and new workers agree. A line in the
 * environment that nginx gives to a new binary (USR2) says by which descriptors the master has it:
 *
 *     NGINX_SEQSHARE=12 shop shop\n14 prices /run/prices\n
 *
 * A reload finds the line in the configuration before it. A new binary finds it in its environment, and the descriptors
 * in /proc of its parent, which is the old master.
 */
#include "ngx_http_seqshare.h"

static const char VARIABLE[] = "NGINX_SEQSHARE=";

/* Another layout of the memory gets another tag. */
#define TAG_GOOD SEQSHARE_TAG("nginx.good.1")

/* ---- where documents are from ---------------------------------------------------------------- */

int origin_read(const seqshare *source, struct origin *origin, uint64_t *length)
{
    struct seqshare_stat stat;
    int error = seqshare_pstat(source, &stat);

    if (error)
        return error;
    ngx_memcpy(origin->region_id, stat.region_id, sizeof origin->region_id);
    origin->version = stat.version;
    origin->published = stat.published;
    *length = stat.length;
    return 0;
}

bool origin_is_same(const struct origin *one, const struct origin *other)
{
    return ngx_memcmp(one, other, sizeof *one) == 0;
}

bool origin_is_of_same_region(const struct origin *one, const struct origin *other)
{
    return ngx_memcmp(one->region_id, other->region_id, sizeof one->region_id) == 0;
}

/* ---- the configuration, or the binary, before ------------------------------------------------ */

/*
 * The number of the share's descriptor in such a line; -1: it is not there. Name and path must be the same: two shares
 * may have one path, and one of them an older document.
 */
static int number_in(const char *line, const struct web_share *share)
{
    const size_t length = share->name.len + 1 + strlen(share->path);

    while (line && *line) {
        const char *name = strchr(line, ' '), *end = name ? strchr(name, '\n') : NULL;

        if (!end)
            break;
        name++;
        if ((size_t)(end - name) == length && memcmp(name, share->name.data, share->name.len) == 0 &&
            name[share->name.len] == ' ' &&
            strncmp(name + share->name.len + 1, share->path, strlen(share->path)) == 0)
            return (int)ngx_atoi((u_char *)line, (size_t)(name - 1 - line));
        line = end + 1;
    }
    return -1;
}

static const char *line_of_cycle(const ngx_cycle_t *cycle)
{
    const ngx_core_conf_t *core;
    const ngx_str_t *variable;

    core = (const ngx_core_conf_t *)ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    variable = core->env.elts;
    for (ngx_uint_t i = core->env.nelts; i-- > 0;)
        if (strncmp((const char *)variable[i].data, VARIABLE, sizeof VARIABLE - 1) == 0)
            return (const char *)variable[i].data + sizeof VARIABLE - 1;
    return NULL;
}

static int open_of_parent(const struct web_share *share)
{
    char name[64];
    struct stat status;
    int number = getenv(NGINX_VAR) ? number_in(getenv("NGINX_SEQSHARE"), share) : -1;

    if (number < 0)
        return -1;
    snprintf(name, sizeof name, "/proc/%ld/fd/%d", (long)getppid(), number);
    if (stat(name, &status) != 0 || !S_ISREG(status.st_mode)) /* the parent may be another by now */
        return -1;
    return open(name, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

/* A descriptor of what the configuration before, or the old master, has; the caller closes it. -1: there is none. */
static int find_former(const struct web_share *share, const ngx_cycle_t *former)
{
    int number;

    if (!former || !former->conf_ctx) /* the first configuration of a process: there is none before it */
        return open_of_parent(share);
    number = number_in(line_of_cycle(former), share);
    return number < 0 ? -1 : fcntl(number, F_DUPFD_CLOEXEC, 0);
}

/* NULL: there is none, or not one that this module can read. */
static seqshare *attach_former(const struct web_share *share, const ngx_cycle_t *cycle)
{
    seqshare *good = NULL;
    struct seqshare_stat stat;
    int fd = find_former(share, cycle->old_cycle);

    if (fd < 0)
        return NULL;
    if (seqshare_attach(&good, fd, SEQSHARE_WRITE) != 0)
        good = NULL;
    close(fd);
    if (good && (seqshare_stat(good, &stat) != 0 || (stat.version > 0 && stat.tag != TAG_GOOD))) {
        seqshare_close(good);
        good = NULL;
    }
    return good;
}

/* What does not fit any more is left behind. */
static int copy_value(seqshare *to, const seqshare *from)
{
    seqshare_reading reading = {.bytes = NULL};
    int error = seqshare_read(from, &reading);

    if (!error)
        error = seqshare_set_typed(to, reading.bytes, reading.length, TAG_GOOD);
    free(reading.bytes);
    return error == -ENODATA || error == -EMSGSIZE ? 0 : error;
}

/* ---- making it, in the master ---------------------------------------------------------------- */

int good_make(struct web_share *share, ngx_cycle_t *cycle)
{
    const size_t room = share->most + sizeof(struct kept);
    seqshare *former = attach_former(share, cycle);
    int error = 0;

    if (former && seqshare_capacity(former) == room) {
        share->good = former;
    } else {
        error = seqshare_new(&share->good, room);
        if (!error && former)
            error = copy_value(share->good, former);
        seqshare_close(former);
    }
    if (error)
        return error;
    share->good_fd = seqshare_fd(share->good, SEQSHARE_WRITE);
    return share->good_fd == -EOPNOTSUPP || share->good_fd >= 0 ? 0 : share->good_fd;
}

ngx_int_t good_hand_over(ngx_conf_t *cf, const ngx_array_t *shares)
{
    ngx_core_conf_t *core = (ngx_core_conf_t *)ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module);
    struct web_share *const *share = shares->elts;
    size_t room = sizeof VARIABLE;
    ngx_str_t *variable;
    u_char *at;

    for (ngx_uint_t i = 0; i < shares->nelts; i++)
        room += share[i]->name.len + strlen(share[i]->path) + NGX_INT32_LEN + 3;
    variable = ngx_array_push(&core->env);
    if (!variable || !(variable->data = ngx_pnalloc(cf->cycle->pool, room)))
        return NGX_ERROR;
    variable->len = sizeof VARIABLE - 2; /* nginx finds the = after it, and takes it as it is */
    at = ngx_cpymem(variable->data, VARIABLE, sizeof VARIABLE - 1);
    for (ngx_uint_t i = 0; i < shares->nelts; i++)
        if (share[i]->good_fd >= 0)
            at = ngx_sprintf(at, "%d %V %s\n", share[i]->good_fd, &share[i]->name, share[i]->path);
    *at = '\0';
    return NGX_OK;
}

/* ---- keeping a document, in a worker --------------------------------------------------------- */

bool good_has(const struct web_share *share, const struct origin *origin)
{
    struct origin kept;
    seqshare_view view;

    if (seqshare_peek(share->good, &view) != 0 || view.length < sizeof kept)
        return false;
    ngx_memcpy(&kept, view.data, sizeof kept);
    return origin_is_same(&kept, origin);
}

int good_keep(const struct web_share *share, struct kept *kept, const struct origin *origin, size_t length)
{
    kept->origin = *origin;
    return seqshare_set_typed(share->good, kept, sizeof *kept + length, TAG_GOOD);
}
