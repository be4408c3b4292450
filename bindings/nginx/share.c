/* SPDX-License-Identifier: MIT */
/* The shares of a configuration: opened in the master, inherited by the workers. */
#include "ngx_http_seqshare.h"

static const ngx_msec_t SECOND = 1000;

/* ---- in the master --------------------------------------------------------------------------- */

static void close_share(void *opaque)
{
    struct web_share *share = opaque;
    struct setting *const *setting = share->settings.elts;

    if (share->tick.timer_set)
        ngx_del_timer(&share->tick);
    seqshare_cache_close(share->cache);
    seqshare_close(share->source);
    seqshare_close(share->good);
    if (share->good_fd >= 0)
        close(share->good_fd);
    for (ngx_uint_t i = 0; i < share->settings.nelts; i++)
        seqshare_json_release(setting[i]->prepared);
}

struct web_share *share_add(ngx_conf_t *cf, const ngx_str_t *name, const char *path, size_t most)
{
    struct main_config *config = ngx_http_conf_get_module_main_conf(cf, ngx_http_seqshare_module);
    struct web_share **place = ngx_array_push(&config->shares), *share;
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);

    share = ngx_pcalloc(cf->pool, sizeof *share);
    if (!place || !cleanup || !share ||
        ngx_array_init(&share->settings, cf->pool, 8, sizeof(struct setting *)) != NGX_OK)
        return NULL;
    share->name = *name;
    share->path = path;
    share->most = most;
    share->number = config->shares.nelts - 1;
    share->good_fd = -1;
    share->looked = (ngx_msec_t)-1;
    cleanup->handler = close_share;
    cleanup->data = share;
    *place = share;
    return share;
}

struct web_share *share_find(const ngx_array_t *shares, const ngx_str_t *name)
{
    struct web_share *const *share = shares->elts;

    for (ngx_uint_t i = 0; i < shares->nelts; i++)
        if (share[i]->name.len == name->len && ngx_memcmp(share[i]->name.data, name->data, name->len) == 0)
            return share[i];
    return NULL;
}

/* A reload keeps it, as nginx keeps every zone with the same name and size. */
static ngx_int_t begin_journal(ngx_shm_zone_t *zone, void *former)
{
    struct web_share *share = zone->data;
    ngx_slab_pool_t *slabs = (ngx_slab_pool_t *)zone->shm.addr;

    (void)former;
    if (!slabs->data)
        slabs->data = ngx_slab_calloc(slabs, sizeof *share->journal);
    share->journal = slabs->data;
    return share->journal ? NGX_OK : NGX_ERROR;
}

static ngx_int_t add_journal(ngx_conf_t *cf, struct web_share *share)
{
    const size_t size = sizeof *share->journal + 16 * ngx_pagesize;
    ngx_str_t name = {.len = sizeof "seqshare " - 1 + share->name.len};
    ngx_shm_zone_t *zone;

    name.data = ngx_pnalloc(cf->pool, name.len);
    if (!name.data)
        return NGX_ERROR;
    ngx_memcpy(ngx_cpymem(name.data, "seqshare ", sizeof "seqshare " - 1), share->name.data, share->name.len);
    zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_seqshare_module);
    if (!zone)
        return NGX_ERROR;
    zone->init = begin_journal;
    zone->data = share;
    return NGX_OK;
}

/* A share that is not there does not stop the server: requests use the last good document. */
static ngx_int_t make_ready(ngx_conf_t *cf, struct web_share *share)
{
    int error = good_make(share, cf->cycle);

    if (error) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "seqshare %V: no memory for the last good document: %s",
                      &share->name, seqshare_strerror(error));
        return NGX_ERROR;
    }
    share->trouble_at_start = follow_name(share);
    if (share->trouble_at_start)
        ngx_log_error(NGX_LOG_WARN, cf->log, 0, "seqshare %V: %s: %s; nginx goes on looking for the share",
                      &share->name, share->path, seqshare_strerror(share->trouble_at_start));
    return add_journal(cf, share);
}

ngx_int_t share_make_ready(ngx_conf_t *cf, const ngx_array_t *shares)
{
    struct web_share *const *share = shares->elts;

    for (ngx_uint_t i = 0; i < shares->nelts; i++)
        if (make_ready(cf, share[i]) != NGX_OK)
            return NGX_ERROR;
    return shares->nelts > 0 ? good_hand_over(cf, shares) : NGX_OK;
}

void share_say_troubles(const ngx_array_t *shares)
{
    struct web_share *const *share = shares->elts;

    for (ngx_uint_t i = 0; i < shares->nelts; i++)
        if (share[i]->trouble_at_start)
            log_said_by_master(share[i], share[i]->trouble_at_start);
}

/* ---- in a worker ----------------------------------------------------------------------------- */

static void on_tick(ngx_event_t *event)
{
    struct web_share *share = event->data;

    if (!share->cache)
        document_make_cache(share);
    follow_tick(share);
    feed_look(share);
    document_is_used(share, &share->seen); /* an idle worker lets go of an old document too */
    ngx_add_timer(event, SECOND);
}

void share_begin_worker(struct web_share *share)
{
    share->had_trouble = __atomic_load_n(&share->journal->trouble, __ATOMIC_RELAXED) != 0;
    share->tick.handler = on_tick;
    share->tick.data = share;
    share->tick.log = ngx_cycle->log;
    share->tick.cancelable = 1; /* nobody waits for it at the end */
    on_tick(&share->tick);
}
