/* SPDX-License-Identifier: MIT */
#include "mod_seqshare.h"

#include <apr_file_io.h>
#include <sys/mman.h>
#include <unistd.h>

/* All shares of this process. They outlive its configurations, for the module is never unloaded (see Makefile). */
static struct share *shares;

static struct share *find(const struct declaration *declaration)
{
    struct share *share = shares;

    while (share && (share->created != declaration->created || strcmp(share->name, declaration->name) != 0))
        share = share->next;
    return share;
}

bool share_has_value(const struct declaration *declaration)
{
    const struct share *share = find(declaration);

    return share && seqshare_version(share->writer) > 0;
}

/* ---- the initial document ---- */

static const char *cannot_read(const char *file, apr_status_t error, apr_pool_t *pool)
{
    char why[120];

    return apr_psprintf(pool, "cannot read %s: %s", file, apr_strerror(error, why, sizeof why));
}

static const char *read_file(const char *file, size_t capacity, apr_pool_t *pool, char **text, size_t *length)
{
    apr_file_t *opened;
    apr_finfo_t status;
    apr_status_t error = apr_stat(&status, file, APR_FINFO_TYPE | APR_FINFO_SIZE, pool);

    if (!error && status.filetype != APR_REG) /* a pipe would make us wait */
        return apr_psprintf(pool, "%s is not a file", file);
    if (!error && (apr_uint64_t)status.size > capacity)
        return apr_psprintf(pool, "%s is longer than the share's capacity", file);
    if (!error)
        error = apr_file_open(&opened, file, APR_READ, 0, pool);
    if (error)
        return cannot_read(file, error, pool);
    *length = (size_t)status.size;
    *text = apr_palloc(pool, *length + 1);
    error = apr_file_read_full(opened, *text, *length, length);
    apr_file_close(opened);
    if (error && error != APR_EOF) /* it has become shorter: then it is no JSON, or it is */
        return cannot_read(file, error, pool);
    return NULL;
}

const char *publish_file(seqshare *share, const char *file, size_t capacity, apr_pool_t *pool)
{
    char *text = NULL, why[SEQSHARE_JSON_WHY_SIZE];
    size_t length = 0;
    const char *wrong = read_file(file, capacity, pool, &text, &length);
    int error;

    if (wrong)
        return wrong;
    if (share)
        error = seqshare_json_publish(share, text, length, why);
    else
        error = seqshare_json_check(text, length, why);
    if (!error)
        return NULL;
    return apr_psprintf(pool, "%s: %s", file, *why ? why : seqshare_strerror(error));
}

/* ---- in the parent ---- */

static int make(struct share *share, size_t capacity)
{
    int error = seqshare_new(&share->writer, capacity), fd;

    if (error)
        return error;
    fd = seqshare_fd(share->writer, SEQSHARE_READ);
    error = fd < 0 ? fd : seqshare_attach(&share->reader, fd, SEQSHARE_READ | SEQSHARE_ANY_OWNER);
    if (fd >= 0)
        close(fd);
    return error;
}

/* Where the name is now. That it is nowhere stops nobody: then what was there last is used. */
static int follow(struct share *share)
{
    int result;

    if (!share->reader)
        return seqshare_open(&share->reader, share->name, SEQSHARE_READ);
    result = seqshare_reopen(share->reader);
    if (result == 1)
        share->good.version = 0; /* versions may start over; the bytes stay until there are others */
    return result < 0 ? result : 0;
}

/* If the document that stands is one that children could parse, keep it. */
static void keep_good(struct share *share)
{
    uint64_t good = __atomic_load_n(&share->journal->good, __ATOMIC_RELAXED), version;
    ssize_t length;
    void *bytes;

    if (good == share->good.version || good != seqshare_version(share->reader))
        return;
    length = seqshare_get_alloc(share->reader, &bytes, &version);
    if (length < 0)
        return;
    if (version == good) {
        free(share->good.bytes);
        share->good.bytes = bytes;
        share->good.length = (size_t)length;
        share->good.version = version;
        ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, ap_server_conf,
                     "seqshare %s: version %" APR_UINT64_T_FMT " is kept for children that are born later",
                     share->name, version);
    } else {
        free(bytes);
    }
}

static void let_go(struct share *share)
{
    seqshare_close(share->writer);
    seqshare_close(share->reader);
    if (share->journal)
        munmap(share->journal, sizeof *share->journal);
    free(share->good.bytes);
    free((char *)(uintptr_t)share->name);
    free(share);
}

static int add(struct share **result, const struct declaration *declaration)
{
    struct share *share = calloc(1, sizeof *share);
    void *journal;
    int error = -ENOMEM;

    if (!share)
        return error;
    share->created = declaration->created;
    share->name = strdup(declaration->name);
    journal = mmap(NULL, sizeof *share->journal, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (journal != MAP_FAILED)
        share->journal = journal;
    if (share->name && share->journal)
        error = share->created ? make(share, declaration->capacity) : 0;
    if (error) {
        let_go(share);
        return error;
    }
    share->next = shares;
    shares = share;
    *result = share;
    return 0;
}

static void remember_capacity(const struct declaration *declaration, server_rec *server)
{
    size_t capacity = seqshare_capacity(declaration->share->writer);

    if (capacity != declaration->capacity)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "seqshare %s: the capacity stays %" APR_SIZE_T_FMT
                     " bytes until the server is stopped and started",
                     declaration->name, capacity);
}

static void note_absence(struct share *share, server_rec *server)
{
    int error = follow(share);

    share->journal->trouble = error;
    if (error)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                     "seqshare %s: %s; it is looked for while the server runs", share->name,
                     seqshare_strerror(error));
}

static const char *publish_initial(const struct declaration *declaration, apr_pool_t *pool)
{
    struct share *share = declaration->share;
    const char *wrong = publish_file(share->writer, declaration->file, declaration->capacity, pool);

    if (wrong)
        return wrong;
    share->journal->good = seqshare_version(share->writer);
    return NULL;
}

static int put_in_force(struct declaration *declaration, server_rec *server, apr_pool_t *pool)
{
    const char *wrong = NULL;
    int error = 0;

    declaration->share = find(declaration);
    if (!declaration->share)
        error = add(&declaration->share, declaration);
    if (error)
        wrong = seqshare_strerror(error);
    else if (!declaration->created)
        note_absence(declaration->share, server);
    else if (declaration->file && !share_has_value(declaration))
        wrong = publish_initial(declaration, pool);
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "seqshare %s: %s", declaration->name, wrong);
        return !OK;
    }
    if (declaration->created)
        remember_capacity(declaration, server);
    if (declaration->share->reader)
        keep_good(declaration->share);
    declaration->share->wanted = true;
    return OK;
}

static void let_go_of_unwanted(void)
{
    for (struct share **at = &shares, *share; (share = *at);) {
        if (share->wanted) {
            at = &share->next;
        } else {
            *at = share->next;
            let_go(share);
        }
    }
}

static void find_writers(const server_rec *servers)
{
    for (const server_rec *server = servers; server; server = server->next) {
        const struct server_config *config = ap_get_module_config(server->module_config, &seqshare_module);

        if (config->declaration && config->writes)
            config->declaration->share->writes = true;
    }
}

int shares_put_in_force(server_rec *main_server, const apr_array_header_t *declarations, apr_pool_t *pool)
{
    for (struct share *share = shares; share; share = share->next)
        share->wanted = share->writes = false;
    for (int i = 0; i < declarations->nelts; i++) {
        if (put_in_force(APR_ARRAY_IDX(declarations, i, struct declaration *), main_server, pool) != OK)
            return !OK;
    }
    let_go_of_unwanted();
    find_writers(main_server);
    return OK;
}

/* So that a child that is born later has the newest region, also if the name is gone by then; and so that the
 * memory of old ones is let go. */
void shares_look_after(void)
{
    for (struct share *share = shares; share; share = share->next) {
        if (!share->created && (!share->reader || seqshare_retired(share->reader)))
            follow(share);
        if (share->reader)
            keep_good(share);
    }
}

/* ---- in a child ---- */

void shares_inherit(void)
{
    for (struct share *share = shares; share; share = share->next) {
        if (!share->writes) {
            seqshare_close(share->writer);
            share->writer = NULL;
        }
        if (share->reader)
            share_make_cache(share); /* if not, the first request tries again, and tells */
    }
}

int share_borrow(const struct share *share, int access, seqshare **handle)
{
    if (!share->created)
        return seqshare_open(handle, share->name, access);
    *handle = access == SEQSHARE_WRITE ? share->writer : share->reader;
    return *handle ? 0 : -EROFS;
}

void share_give_back(const struct share *share, seqshare *handle)
{
    if (!share->created)
        seqshare_close(handle);
}
