/* SPDX-License-Identifier: MIT */
/* The module: its directives, its configuration, and the hooks by which httpd calls it. */
#include <apr_lib.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>

#include "mod_seqshare.h"

/* The shares of the configuration that is being read, each once. */
static apr_array_header_t *declarations;

/* ---- configurations ---- */

static void *server_create(apr_pool_t *pool, server_rec *server)
{
    (void)server;
    return apr_pcalloc(pool, sizeof(struct server_config));
}

static void *server_merge(apr_pool_t *pool, void *outer, void *inner)
{
    const struct server_config *base = outer, *add = inner;
    struct server_config *config = apr_palloc(pool, sizeof *config);

    config->declaration = add->declaration ? add->declaration : base->declaration;
    config->writes = add->writes || base->writes;
    return config;
}

static void *place_create(apr_pool_t *pool, char *path)
{
    struct place_config *config = apr_palloc(pool, sizeof *config);

    (void)path;
    config->variables = apr_array_make(pool, 0, sizeof(struct variable));
    config->writes = -1;
    return config;
}

static void *place_merge(apr_pool_t *pool, void *outer, void *inner)
{
    const struct place_config *base = outer, *add = inner;
    struct place_config *config = apr_palloc(pool, sizeof *config);

    config->variables = base->variables;
    if (add->variables->nelts > 0)
        config->variables = apr_array_append(pool, base->variables, add->variables);
    config->writes = add->writes != -1 ? add->writes : base->writes;
    return config;
}

/* ---- directives ---- */

/* Bytes, K, M or G: 0 is wrong. */
static size_t parse_size(const char *text)
{
    apr_off_t size;
    char *unit;
    int shift = 0;

    if (apr_strtoff(&size, text, &unit, 10) != APR_SUCCESS || unit == text || size <= 0)
        return 0;
    if (*unit) {
        const char *found = strchr("KMG", apr_toupper(*unit));

        if (!found || unit[1])
            return 0;
        shift = 10 * (int)(found - "KMG" + 1);
    }
    return (uint64_t)size > (uint64_t)PTRDIFF_MAX >> shift ? 0 : (size_t)size << shift;
}

static struct declaration *find_declaration(const char *name, bool created)
{
    for (int i = 0; i < declarations->nelts; i++) {
        struct declaration *declaration = APR_ARRAY_IDX(declarations, i, struct declaration *);

        if (declaration->created == created && strcmp(declaration->name, name) == 0)
            return declaration;
    }
    return NULL;
}

static bool same_file(const char *one, const char *other)
{
    return one && other ? strcmp(one, other) == 0 : one == other;
}

/* Several virtual hosts may have one share: then all must say the same of it. */
static const char *add_declaration(cmd_parms *command, const struct declaration *wanted)
{
    struct server_config *config = ap_get_module_config(command->server->module_config, &seqshare_module);
    struct declaration *declaration = find_declaration(wanted->name, wanted->created);

    if (config->declaration)
        return apr_psprintf(command->pool, "this server has a share already, %s", config->declaration->name);
    if (!declaration) {
        declaration = apr_pmemdup(command->pool, wanted, sizeof *wanted);
        APR_ARRAY_PUSH(declarations, struct declaration *) = declaration;
    } else if (declaration->capacity != wanted->capacity || !same_file(declaration->file, wanted->file)) {
        return apr_psprintf(command->pool, "another SeqshareCreate gives %s another capacity or file",
                            wanted->name);
    }
    config->declaration = declaration;
    return NULL;
}

static const char *set_create(cmd_parms *command, void *place, const char *name, const char *capacity,
                              const char *file)
{
    struct declaration declaration = {.name = name, .created = true, .capacity = parse_size(capacity)};
    const char *wrong = ap_check_cmd_context(command, NOT_IN_DIR_CONTEXT);

    (void)place;
    if (wrong)
        return wrong;
    if (declaration.capacity == 0)
        return apr_psprintf(
            command->pool, "'%s' is not a capacity: give a number of bytes, or one with K, M or G", capacity);
    if (file) {
        declaration.file = ap_server_root_relative(command->pool, file);
        if (!declaration.file)
            return apr_psprintf(command->pool, "'%s' is not a path", file);
        if (!share_has_value(&declaration))
            wrong = share_publish_file(NULL, declaration.file, declaration.capacity, command->temp_pool);
    }
    return wrong ? wrong : add_declaration(command, &declaration);
}

static const char *set_open(cmd_parms *command, void *place, const char *name)
{
    struct declaration declaration = {.name = name};
    const char *wrong = ap_check_cmd_context(command, NOT_IN_DIR_CONTEXT);
    seqshare *share;
    int error;

    (void)place;
    if (wrong)
        return wrong;
    if (strchr(name, '/'))
        declaration.name = ap_server_root_relative(command->pool, name);
    error = declaration.name ? seqshare_open(&share, declaration.name, SEQSHARE_READ) : -EINVAL;
    if (!error)
        seqshare_close(share);
    if (error == -EINVAL || error == -ENAMETOOLONG) /* anything else may change while the server runs */
        return apr_psprintf(command->pool, "'%s' cannot be the name of a share", name);
    return add_declaration(command, &declaration);
}

static const char *add_variable(cmd_parms *command, void *place, const char *name, const char *pointer,
                                const char *otherwise)
{
    struct place_config *config = place;
    struct variable variable = {.name = name, .otherwise = otherwise};
    const char *wrong;

    if (strchr(name, '='))
        return apr_psprintf(command->pool, "'%s' cannot be the name of a variable", name);
    variable.otherwise_length = otherwise ? strlen(otherwise) : 0;
    wrong = pointer_prepare(command->pool, pointer, &variable.pointer);
    if (!wrong)
        APR_ARRAY_PUSH(config->variables, struct variable) = variable;
    return wrong;
}

static const char *set_write(cmd_parms *command, void *place, int on)
{
    struct server_config *config = ap_get_module_config(command->server->module_config, &seqshare_module);

    ((struct place_config *)place)->writes = on;
    config->writes |= on;
    return NULL;
}

static const command_rec directives[] = {
    AP_INIT_TAKE23("SeqshareCreate", set_create, NULL, RSRC_CONF,
                   "a name for the share, its capacity, and a file with the initial document"),
    AP_INIT_TAKE1("SeqshareOpen", set_open, NULL, RSRC_CONF, "the share's name"),
    AP_INIT_TAKE23("SeqshareEnv", add_variable, NULL, RSRC_CONF | ACCESS_CONF,
                   "a variable, a JSON Pointer, and a default for it if there is no such value"),
    AP_INIT_FLAG("SeqshareWrite", set_write, NULL, RSRC_CONF | ACCESS_CONF,
                 "whether seqshare-document accepts documents"),
    {.name = NULL},
};

/* ---- when httpd calls ---- */

static int before_config(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *temporary)
{
    (void)log, (void)temporary;
    declarations = apr_array_make(pool, 1, sizeof(struct declaration *));
    pointer_begin_numbering(pool);
    return OK;
}

/* At the start, httpd reads its configuration twice. */
static int after_config(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *temporary, server_rec *server)
{
    (void)pool, (void)log;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    return share_put_in_force(server, declarations, temporary);
}

static void begin_child(apr_pool_t *pool, server_rec *server)
{
    (void)pool, (void)server;
    pointer_end_numbering();
    variable_begin_child();
    share_inherit_all();
}

static int monitor(apr_pool_t *pool, server_rec *server)
{
    (void)pool, (void)server;
    share_follow_all();
    return OK;
}

static const apr_array_header_t *variables_of(ap_conf_vector_t *place)
{
    const struct place_config *config = ap_get_module_config(place, &seqshare_module);

    return config->variables;
}

/* The server's variables are set as early as possible. */
static int request_read(request_rec *r)
{
    variable_set_all(r, variables_of(r->server->lookup_defaults), 0);
    return OK;
}

/* The place's variables are set as soon as it is known. The first of them are the server's, and are set. */
static int place_found(request_rec *r)
{
    variable_set_all(r, variables_of(r->per_dir_config), variables_of(r->server->lookup_defaults)->nelts);
    return OK;
}

/* Subrequests begin with the variables of their request. No other early step runs for them. */
static int subrequest_fixups(request_rec *r)
{
    return r->main ? place_found(r) : DECLINED;
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_pre_config(before_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(after_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(begin_child, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_monitor(monitor, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(request_read, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_header_parser(place_found, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_fixups(subrequest_fixups, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(status_handle, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(page_handle, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_expr_lookup(expression_look_up, NULL, NULL, APR_HOOK_MIDDLE);
}

__attribute__((visibility("default"))) module AP_MODULE_DECLARE_DATA seqshare_module = {
    STANDARD20_MODULE_STUFF,
    .create_dir_config = place_create,
    .merge_dir_config = place_merge,
    .create_server_config = server_create,
    .merge_server_config = server_merge,
    .cmds = directives,
    .register_hooks = register_hooks,
};
