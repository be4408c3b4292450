/* SPDX-License-Identifier: MIT */
/* The shares of this process: makes, opens and keeps them, in the parent and in its children. */
#include "mod_seqshare.h"

#include <ap_mpm.h>
#include <apr_file_io.h>
#include <sys/mman.h>
#include <unistd.h>

/* All shares of this process. They outlive its configurations, because the module is never unloaded (see Makefile). */
static struct web_share *shares;

static struct web_share *find_share(const struct declaration *declaration)
{
    struct web_share *share = shares;

    while (share && (share->created != declaration->created || strcmp(share->name, declaration->name) != 0))
        share = share->next;
    return share;
}

bool share_has_value(const struct declaration *declaration)
{
    const struct web_share *share = find_share(declaration);
    struct seqshare_stat stat;

    return share && seqshare_pstat(share->source, &stat) == 0 && stat.version > 0;
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
    if (error && error != APR_EOF) /* the file has become shorter: the check of JSON decides */
        return cannot_read(file, error, pool);
    return NULL;
}

static int publish_text(struct web_share *share, const char *text, size_t length,
                        char why[SEQSHARE_JSON_WHY_SIZE])
{
    int error = seqshare_json_publish(share->writer, text, length, why);

    return error ? error : good_keep_published(share, text, length);
}

const char *share_publish_file(struct web_share *share, const char *file, size_t capacity, apr_pool_t *pool)
{
    char *text = NULL, why[SEQSHARE_JSON_WHY_SIZE];
    size_t length = 0;
    const char *wrong = read_file(file, capacity, pool, &text, &length);
    int error;

    if (wrong)
        return wrong;
    if (share)
        error = publish_text(share, text, length, why);
    else
        error = seqshare_json_check(text, length, why);
    if (!error)
        return NULL;
    return apr_psprintf(pool, "%s: %s", file, *why ? why : seqshare_strerror(error));
}

/* ---- in the parent ---- */

static int make_region(struct web_share *share, size_t capacity)
{
    int error = seqshare_new(&share->writer, capacity);

    return error ? error : seqshare_reader(&share->source, share->writer);
}

static size_t journal_size(int children)
{
    return sizeof(struct journal) + (size_t)children * sizeof(struct served);
}

static struct journal *new_journal(int children)
{
    void *journal =
        mmap(NULL, journal_size(children), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return journal == MAP_FAILED ? NULL : journal;
}

static void free_share(struct web_share *share)
{
    seqshare_close(share->writer);
    seqshare_close(share->source);
    seqshare_close(share->good);
    if (share->journal)
        munmap(share->journal, journal_size(share->children));
    free((char *)(uintptr_t)share->name);
    free(share);
}

static int add_share(struct web_share **result, const struct declaration *declaration)
{
    struct web_share *share = calloc(1, sizeof *share);
    int error = -ENOMEM;

    if (!share)
        return error;
    share->created = declaration->created;
    share->name = strdup(declaration->name);
    if (ap_mpm_query(AP_MPMQ_HARD_LIMIT_DAEMONS, &share->children) != APR_SUCCESS)
        share->children = 0;
    share->journal = new_journal(share->children);
    if (share->name && share->journal)
        error = share->created ? make_region(share, declaration->capacity) : 0;
    if (error) {
        free_share(share);
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
                     " bytes until you stop the server and start it again",
                     declaration->name, capacity);
}

/* A share that is not there does not stop the server: requests use the last good document. */
static void find_opened(struct web_share *share, server_rec *server)
{
    int error = follow_name(share);

    if (!error)
        return;
    log_said_by_parent(share, error);
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                 "seqshare %s: %s; the server goes on looking for the share", share->name,
                 seqshare_strerror(error));
}

static const char *make_ready(const struct declaration *declaration, server_rec *server, apr_pool_t *pool)
{
    struct web_share *share = declaration->share;
    int error;

    if (!share->created)
        find_opened(share, server);
    error = good_make(share);
    if (error)
        return seqshare_strerror(error);
    if (!share->created)
        return NULL;
    remember_capacity(declaration, server);
    if (!declaration->file || share_has_value(declaration))
        return NULL;
    return share_publish_file(share, declaration->file, declaration->capacity, pool);
}

static int put_one_in_force(struct declaration *declaration, server_rec *server, apr_pool_t *pool)
{
    const char *wrong;
    int error = 0;

    declaration->share = find_share(declaration);
    if (!declaration->share)
        error = add_share(&declaration->share, declaration);
    wrong = error ? seqshare_strerror(error) : make_ready(declaration, server, pool);
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "seqshare %s: %s", declaration->name, wrong);
        return !OK;
    }
    declaration->share->wanted = true;
    return OK;
}

static void free_unwanted(void)
{
    for (struct web_share **at = &shares, *share; (share = *at);) {
        if (share->wanted) {
            at = &share->next;
        } else {
            *at = share->next;
            free_share(share);
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

int share_put_in_force(server_rec *main_server, const apr_array_header_t *declarations, apr_pool_t *pool)
{
    for (struct web_share *share = shares; share; share = share->next)
        share->wanted = share->writes = false;
    for (int i = 0; i < declarations->nelts; i++) {
        if (put_one_in_force(APR_ARRAY_IDX(declarations, i, struct declaration *), main_server, pool) != OK)
            return !OK;
    }
    free_unwanted();
    find_writers(main_server);
    return OK;
}

/* So a child that starts later has the newest region, even if the name is gone by then, or if only root may open it.
 * And the memory of old regions is freed. */
void share_follow_all(void)
{
    for (struct web_share *share = shares; share; share = share->next)
        follow_name(share);
}

/* ---- in a child ---- */

void share_inherit_all(void)
{
    for (struct web_share *share = shares; share; share = share->next) {
        if (!share->writes) {
            seqshare_close(share->writer);
            share->writer = NULL;
        }
        share->had_trouble = __atomic_load_n(&share->journal->trouble, __ATOMIC_RELAXED) != 0;
        follow_update(share, apr_time_now());
    }
}

int share_borrow(const struct web_share *share, int access, seqshare **handle)
{
    if (!share->created)
        return seqshare_open(handle, share->name, access);
    *handle = access == SEQSHARE_WRITE ? share->writer : share->source;
    return *handle ? 0 : -EROFS;
}

void share_give_back(const struct web_share *share, seqshare *handle)
{
    if (!share->created)
        seqshare_close(handle);
}
