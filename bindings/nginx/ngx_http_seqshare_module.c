/* SPDX-License-Identifier: MIT */
/* The module: its directives, its configuration, and the functions by which nginx calls it. */
#include "ngx_http_seqshare.h"

/* A value of a variable has 28 bits for its length. */
enum { VALUE_MOST = (1 << 28) - 1, VALUE_USUAL = 4096 };

static const size_t DOCUMENT_USUAL = 64 << 20, DOCUMENT_MOST = PTRDIFF_MAX / 4;

/* ---- configurations -------------------------------------------------------------------------- */

static void *main_create(ngx_conf_t *cf)
{
    struct main_config *config = ngx_pcalloc(cf->pool, sizeof *config);

    if (!config || ngx_array_init(&config->shares, cf->pool, 2, sizeof(struct web_share *)) != NGX_OK)
        return NULL;
    return config;
}

static void *place_create(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(struct place_config));
}

/* An `if` or `limit_except` inside a location has the location's handler, and so needs its configuration. */
static char *place_merge(ngx_conf_t *cf, void *outer, void *inner)
{
    const struct place_config *base = outer;
    struct place_config *config = inner;

    (void)cf;
    if (!config->page && !config->status)
        *config = *base;
    return NGX_CONF_OK;
}

/* ---- directives ------------------------------------------------------------------------------ */

/* Says what is wrong, with file and line. */
#define WRONG(cf, ...) (ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, __VA_ARGS__), (char *)NGX_CONF_ERROR)

static const ngx_array_t *shares_of(ngx_conf_t *cf)
{
    const struct main_config *config = ngx_http_conf_get_module_main_conf(cf, ngx_http_seqshare_module);

    return &config->shares;
}

static bool begins_with(const ngx_str_t *text, const char *word)
{
    const size_t length = strlen(word);

    return text->len >= length && ngx_memcmp(text->data, word, length) == 0;
}

static ngx_str_t rest_of(const ngx_str_t *text, const char *word)
{
    const size_t length = strlen(word);

    return (ngx_str_t){.len = text->len - length, .data = text->data + length};
}

/* Bytes, k, m or g: 0 is wrong. */
static size_t parse_size(ngx_str_t text, size_t most)
{
    off_t size = ngx_parse_offset(&text);

    return size <= 0 || (uint64_t)size > most ? 0 : (size_t)size;
}

static bool is_word(const ngx_str_t *name)
{
    for (size_t i = 0; i < name->len; i++)
        if (!isalnum(name->data[i]) && name->data[i] != '_')
            return false;
    return name->len > 0;
}

static bool is_clean(const ngx_str_t *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->data[i] < ' ' || text->data[i] == '\x7f')
            return false;
    return true;
}

/* ---- seqshare NAME [PATH] [max=SIZE] --------------------------------------------------------- */

static char *check_path(ngx_conf_t *cf, const ngx_str_t *path)
{
    seqshare *share;
    int error;

    if (!is_clean(path))
        return WRONG(cf, "the path of a share cannot have control characters");
    if (*path->data != '/' && memchr(path->data, '/', path->len))
        return WRONG(cf, "\"%V\" is neither a name nor a whole path: begin it with a slash", path);
    error = seqshare_open(&share, (char *)path->data, SEQSHARE_READ);
    if (!error)
        seqshare_close(share);
    if (error == -EINVAL || error == -ENAMETOOLONG) /* anything else may change while nginx runs */
        return WRONG(cf, "\"%V\" cannot be the name of a share", path);
    return NGX_CONF_OK;
}

/* nginx itself refuses a name only if it may not be set again: we would take the variable of a `map` above us. */
static ngx_int_t add_variable(ngx_conf_t *cf, ngx_str_t name, ngx_http_get_variable_pt get, uintptr_t data)
{
    ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, 0);

    if (!variable)
        return NGX_ERROR;
    if (variable->get_handler || variable->set_handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the duplicate \"%V\" variable: a line above (map, set ...) makes it too", &name);
        return NGX_ERROR;
    }
    variable->get_handler = get;
    variable->data = data;
    return NGX_OK;
}

static ngx_int_t add_share_variable(ngx_conf_t *cf, struct web_share *share, const char *what,
                                    ngx_http_get_variable_pt get)
{
    ngx_str_t name = {.len = sizeof "seqshare_" - 1 + share->name.len + strlen(what)};

    name.data = ngx_pnalloc(cf->pool, name.len + 1);
    if (!name.data)
        return NGX_ERROR;
    ngx_sprintf(name.data, "seqshare_%V%s", &share->name, what);
    return add_variable(cf, name, get, (uintptr_t)share);
}

static char *set_share(ngx_conf_t *cf, ngx_command_t *command, void *config)
{
    const ngx_str_t *word = cf->args->elts, *name = &word[1], *path = name;
    size_t most = DOCUMENT_USUAL;
    struct web_share *share;

    (void)command, (void)config;
    if (!is_word(name))
        return WRONG(
            cf,
            "\"%V\" cannot name a share, because variables are named after it: write letters, digits "
            "and _, and the share's own name or path as the second word",
            name);
    if (share_find(shares_of(cf), name))
        return WRONG(cf, "there is a share \"%V\" already: give this one another name", name);
    for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
        if (begins_with(&word[i], "max=")) {
            most = parse_size(rest_of(&word[i], "max="), DOCUMENT_MOST);
            if (most == 0)
                return WRONG(cf, "\"%V\" is not a size: write max=1m, for example", &word[i]);
        } else if (path == name && word[i].len > 0) {
            path = &word[i];
        } else {
            return WRONG(cf, "\"%V\" is one word too many: write \"seqshare NAME [PATH] [max=SIZE]\"",
                         &word[i]);
        }
    }
    if (check_path(cf, path) != NGX_CONF_OK)
        return NGX_CONF_ERROR;
    share = share_add(cf, name, (const char *)path->data, most);
    if (!share || add_share_variable(cf, share, "_version", request_get_version) != NGX_OK ||
        add_share_variable(cf, share, "_age", request_get_age) != NGX_OK)
        return NGX_CONF_ERROR;
    return NGX_CONF_OK;
}

/* NULL: it has said that there is no such share. */
static struct web_share *need_share(ngx_conf_t *cf, const ngx_str_t *name)
{
    struct web_share *share = share_find(shares_of(cf), name);

    if (!share)
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no share \"%V\" yet: write \"seqshare %V;\" above this line", name,
                           name);
    return share;
}

/* ---- seqshare_set $VARIABLE SHARE POINTER [DEFAULT] [type=TYPE] [max=SIZE] -------------------- */

static char *parse_options(ngx_conf_t *cf, struct setting *setting)
{
    const ngx_str_t *word = cf->args->elts;
    int kind;

    for (ngx_uint_t i = 4; i < cf->args->nelts; i++) {
        ngx_str_t rest;

        if (begins_with(&word[i], "type=")) {
            rest = rest_of(&word[i], "type=");
            kind = setting_kind(&rest);
            if (kind < 0)
                return WRONG(cf, "there is no type \"%V\": write %s", &rest, SETTING_KINDS);
            setting->kind = (enum kind)kind;
        } else if (begins_with(&word[i], "max=")) {
            setting->most = parse_size(rest_of(&word[i], "max="), VALUE_MOST);
            if (setting->most == 0)
                return WRONG(cf, "\"%V\" is not a size of less than 256m: write max=16k, for example",
                             &word[i]);
        } else if (!setting->otherwise.data) {
            setting->otherwise = word[i];
        } else {
            return WRONG(cf, "\"%V\" is a second default: put a text with blanks into quotes", &word[i]);
        }
    }
    return NGX_CONF_OK;
}

static char *prepare_pointer(ngx_conf_t *cf, struct setting *setting, const ngx_str_t *pointer)
{
    int error = strlen((char *)pointer->data) == pointer->len
                    ? seqshare_json_prepare(&setting->prepared, (char *)pointer->data)
                    : -EINVAL;

    setting->pointer = (char *)pointer->data;
    if (error == -EINVAL || !is_clean(pointer)) {
        seqshare_json_release(setting->prepared);
        return WRONG(
            cf,
            "\"%V\" is not a JSON Pointer: it must be empty or begin with a slash, and have 0 or 1 after "
            "each ~",
            pointer);
    }
    return error ? WRONG(cf, "%s", seqshare_strerror(error)) : NGX_CONF_OK;
}

static char *add_setting(ngx_conf_t *cf, struct setting *setting)
{
    struct setting **place = ngx_array_push(&setting->share->settings);

    if (!place) {
        seqshare_json_release(setting->prepared);
        return NGX_CONF_ERROR;
    }
    *place = setting;
    setting->number = setting->share->settings.nelts - 1;
    return add_variable(cf, setting->variable, request_get_setting, (uintptr_t)setting) == NGX_OK
               ? NGX_CONF_OK
               : NGX_CONF_ERROR;
}

static char *set_variable(ngx_conf_t *cf, ngx_command_t *command, void *config)
{
    const ngx_str_t *word = cf->args->elts;
    struct setting *setting = ngx_pcalloc(cf->pool, sizeof *setting);
    const char *wrong;

    (void)command, (void)config;
    if (!setting)
        return NGX_CONF_ERROR;
    if (cf->args->nelts < 4)
        return "needs more: write \"seqshare_set $VARIABLE SHARE POINTER [DEFAULT] [type=TYPE] [max=SIZE]\"";
    setting->most = VALUE_USUAL;
    setting->variable = rest_of(&word[1], "$");
    if (word[1].len < 2 || *word[1].data != '$' || !is_word(&setting->variable) ||
        isdigit(*setting->variable.data))
        return WRONG(cf,
                     "\"%V\" is not a variable: write a $, a letter or _, and letters, digits and _ after it",
                     &word[1]);
    setting->share = need_share(cf, &word[2]);
    if (!setting->share || parse_options(cf, setting) != NGX_CONF_OK)
        return NGX_CONF_ERROR;
    wrong = setting->otherwise.data ? setting_check_default(setting) : NULL;
    if (wrong)
        return WRONG(cf, "$%V: %s", &setting->variable, wrong);
    if (prepare_pointer(cf, setting, &word[3]) != NGX_CONF_OK)
        return NGX_CONF_ERROR;
    return add_setting(cf, setting);
}

/* ---- seqshare_page SHARE [put], seqshare_status SHARE [prometheus] ---------------------------- */

/* The second word, which may be missing; NULL, and *is_there, or what to return. */
static char *parse_place(ngx_conf_t *cf, ngx_http_handler_pt handler, const char *option,
                         struct web_share **share, bool *is_there)
{
    ngx_http_core_loc_conf_t *core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    const ngx_str_t *word = cf->args->elts;

    if (*share)
        return "is duplicate: a location can have one";
    *share = need_share(cf, &word[1]);
    if (!*share)
        return NGX_CONF_ERROR;
    *is_there = cf->args->nelts > 2;
    if (*is_there && (word[2].len != strlen(option) || !begins_with(&word[2], option)))
        return WRONG(cf, "\"%V\" cannot be here: write \"%s\", or nothing", &word[2], option);
    core->handler = handler;
    return NGX_CONF_OK;
}

static char *set_page(ngx_conf_t *cf, ngx_command_t *command, void *config)
{
    struct place_config *place = config;

    (void)command;
    if (place->status)
        return "cannot share a location with seqshare_status: give it its own";
    return parse_place(cf, page_handle, "put", &place->page, &place->put);
}

static char *set_status(ngx_conf_t *cf, ngx_command_t *command, void *config)
{
    struct place_config *place = config;

    (void)command;
    if (place->page)
        return "cannot share a location with seqshare_page: give it its own";
    return parse_place(cf, status_handle, "prometheus", &place->status, &place->prometheus);
}

static ngx_command_t directives[] = {
    {ngx_string("seqshare"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE123, set_share, 0, 0, NULL},
    {ngx_string("seqshare_set"), NGX_HTTP_MAIN_CONF | NGX_CONF_2MORE, set_variable, 0, 0, NULL},
    {ngx_string("seqshare_page"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE12, set_page, NGX_HTTP_LOC_CONF_OFFSET, 0,
     NULL},
    {ngx_string("seqshare_status"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE12, set_status, NGX_HTTP_LOC_CONF_OFFSET,
     0, NULL},
    ngx_null_command,
};

/* ---- when nginx calls ------------------------------------------------------------------------ */

static ngx_int_t after_config(ngx_conf_t *cf)
{
    return share_make_ready(cf, shares_of(cf));
}

/* NULL: there is no http block. */
static const struct main_config *config_of(ngx_cycle_t *cycle)
{
    return cycle->conf_ctx[ngx_http_module.index]
               ? ngx_http_cycle_get_module_main_conf(cycle, ngx_http_seqshare_module)
               : NULL;
}

/* In the master, when it has the memory that all share. */
static ngx_int_t begin_master(ngx_cycle_t *cycle)
{
    const struct main_config *config = config_of(cycle);

    if (config)
        share_say_troubles(&config->shares);
    return NGX_OK;
}

static ngx_int_t begin_worker(ngx_cycle_t *cycle)
{
    const struct main_config *config = config_of(cycle);
    struct web_share *const *share = config ? config->shares.elts : NULL;

    if (!config || ngx_process == NGX_PROCESS_HELPER) /* of the cache of files */
        return NGX_OK;
    for (ngx_uint_t i = 0; i < config->shares.nelts; i++)
        share_begin_worker(share[i]);
    return NGX_OK;
}

static ngx_http_module_t functions = {
    .postconfiguration = after_config,
    .create_main_conf = main_create,
    .create_loc_conf = place_create,
    .merge_loc_conf = place_merge,
};

ngx_module_t ngx_http_seqshare_module = {
    NGX_MODULE_V1,
    &functions,
    directives,
    NGX_HTTP_MODULE,
    NULL, /* init master */
    begin_master,
    begin_worker,
    NULL, /* init thread */
    NULL, /* exit thread */
    NULL, /* exit process */
    NULL, /* exit master */
    NGX_MODULE_V1_PADDING,
};
