/* SPDX-License-Identifier: MIT */
/* The class Seqshare\Share: a share that a script opens itself, to read and to write. */
#include "php_seqshare.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>
#include <zend_exceptions.h>

static const int64_t SLICE = INT64_C(100000000);

zend_class_entry *exception_class, *share_class;
static zend_object_handlers handlers;

struct share_object *share_of_object(zend_object *object)
{
    return (struct share_object *)((char *)object - XtOffsetOf(struct share_object, std));
}

static struct share_object *share_of(zval *this)
{
    return share_of_object(Z_OBJ_P(this));
}

void throw_error(const char *name, int error)
{
    if (!EG(exception))
        zend_throw_exception_ex(exception_class, -error, "%s: %s", name, seqshare_strerror(error));
}

void share_throw(const struct share_object *share, int error)
{
    throw_error(share->follower.name, error);
}

/* ---- objects ----------------------------------------------------------------------------------- */

static zend_object *create(zend_class_entry *class)
{
    struct share_object *share = zend_object_alloc(sizeof *share, class);

    zend_object_std_init(&share->std, class);
    object_properties_init(&share->std, class);
    share->std.handlers = &handlers;
    share->follower.name = "a share without a name";
    return &share->std;
}

static void free_share(zend_object *object)
{
    struct share_object *share = share_of_object(object);

    if (share->writer != share->follower.source)
        seqshare_close(share->writer);
    follower_end(&share->follower);
    share->writer = NULL;
    if (share->follower.journal)
        efree(share->follower.journal);
    if (share->path)
        efree(share->path);
    zend_object_std_dtor(object);
}

/* Takes the handles. `writer` NULL: to read only. */
static void new_object(zval *to, zend_string *name, seqshare *source, seqshare *writer, bool any_owner)
{
    struct share_object *share;

    object_init_ex(to, share_class);
    share = share_of(to);
    share->access = any_owner ? SEQSHARE_ANY_OWNER : 0;
    share->writer = writer;
    share->follower.source = source;
    share->follower.owns_source = true;
    share->follower.access = SEQSHARE_READ | share->access;
    share->follower.journal = ecalloc(1, sizeof *share->follower.journal);
    if (!name)
        return;
    share->path = estrndup(ZSTR_VAL(name), ZSTR_LEN(name));
    share->follower.path = share->follower.name = share->path;
}

/* A second handle of a new share, to read. Without a descriptor, which a share without a name may lack, one does both. */
static int open_source(zend_string *name, seqshare *writer, seqshare **source)
{
    int error;

    if (name)
        return seqshare_open(source, ZSTR_VAL(name), SEQSHARE_READ);
    error = seqshare_reader(source, writer);
    if (error == -EOPNOTSUPP)
        *source = writer;
    return error == -EOPNOTSUPP ? 0 : error;
}

static void new_from_writer(zval *to, zend_string *name, seqshare *writer)
{
    seqshare *source;
    int error = open_source(name, writer, &source);

    served_look_again(true);
    if (error == 0) {
        new_object(to, name, source, writer, false);
        return;
    }
    seqshare_close(writer);
    throw_error(name ? ZSTR_VAL(name) : "a share without a name", error);
}

ZEND_METHOD(Seqshare_Share, __construct)
{
    ZEND_PARSE_PARAMETERS_NONE();
}

/* ---- making and finding ------------------------------------------------------------------------ */

static bool may_not_write(int error)
{
    return error == -EACCES || error == -EROFS;
}

ZEND_METHOD(Seqshare_Share, open)
{
    zend_string *name;
    bool write = false, is_null = true, any_owner = false;
    seqshare *source, *writer = NULL;
    int error;

    ZEND_PARSE_PARAMETERS_START(1, 3)
    Z_PARAM_PATH_STR(name)
    Z_PARAM_OPTIONAL
    Z_PARAM_BOOL_OR_NULL(write, is_null)
    Z_PARAM_BOOL(any_owner)
    ZEND_PARSE_PARAMETERS_END();
    const int access = any_owner ? SEQSHARE_ANY_OWNER : 0;
    error = seqshare_open(&source, ZSTR_VAL(name), SEQSHARE_READ | access);
    if (error == 0 && (write || is_null)) {
        error = seqshare_open(&writer, ZSTR_VAL(name), SEQSHARE_WRITE | access);
        if (is_null && may_not_write(error))
            error = 0;
        if (error)
            seqshare_close(source);
    }
    if (error) {
        throw_error(ZSTR_VAL(name), error);
        RETURN_THROWS();
    }
    new_object(return_value, name, source, writer, any_owner);
}

typedef int make(seqshare **share, const char *name, size_t capacity, mode_t mode,
                 const struct seqshare_reading *first);

static int replace(seqshare **share, const char *name, size_t capacity, mode_t mode,
                   const struct seqshare_reading *first)
{
    return seqshare_replace_with(share, name, capacity, mode, first, 0);
}

/* The text of a value that is given; NULL: none is, or an exception. */
static zend_string *first_text(zval *value)
{
    char why[SEQSHARE_JSON_WHY_SIZE];
    zend_string *json = value ? encode_value(value) : NULL;

    if (!json || seqshare_json_check(ZSTR_VAL(json), ZSTR_LEN(json), why) == 0)
        return json;
    zend_throw_exception_ex(exception_class, EBADMSG, "%s", why);
    zend_string_release(json);
    return NULL;
}

static void make_share(INTERNAL_FUNCTION_PARAMETERS, make *function)
{
    struct seqshare_reading first = {.tag = SEQSHARE_TAG_JSON};
    zend_string *name, *json;
    zend_long capacity, mode = 0600;
    zval *value = NULL;
    seqshare *writer;
    int error;

    ZEND_PARSE_PARAMETERS_START(2, 4)
    Z_PARAM_PATH_STR(name)
    Z_PARAM_LONG(capacity)
    Z_PARAM_OPTIONAL
    Z_PARAM_LONG(mode)
    Z_PARAM_ZVAL(value)
    ZEND_PARSE_PARAMETERS_END();
    json = first_text(value);
    if (EG(exception))
        RETURN_THROWS();
    if (json) {
        first.bytes = ZSTR_VAL(json);
        first.length = ZSTR_LEN(json);
    }
    error = capacity <= 0 || mode < 0 || mode > 07777
                ? -EINVAL
                : function(&writer, ZSTR_VAL(name), (size_t)capacity, (mode_t)mode, json ? &first : NULL);
    if (json)
        zend_string_release(json);
    if (error)
        throw_error(ZSTR_VAL(name), error);
    else
        new_from_writer(return_value, name, writer);
}

ZEND_METHOD(Seqshare_Share, create)
{
    make_share(INTERNAL_FUNCTION_PARAM_PASSTHRU, seqshare_create_with);
}

ZEND_METHOD(Seqshare_Share, replace)
{
    make_share(INTERNAL_FUNCTION_PARAM_PASSTHRU, replace);
}

ZEND_METHOD(Seqshare_Share, anonymous)
{
    zend_long capacity;
    seqshare *writer;
    int error;

    ZEND_PARSE_PARAMETERS_START(1, 1)
    Z_PARAM_LONG(capacity)
    ZEND_PARSE_PARAMETERS_END();
    error = capacity <= 0 ? -EINVAL : seqshare_new(&writer, (size_t)capacity);
    if (error)
        throw_error("a share without a name", error);
    else
        new_from_writer(return_value, NULL, writer);
}

ZEND_METHOD(Seqshare_Share, attach)
{
    zend_long descriptor;
    bool write = false, any_owner = false;
    seqshare *source, *writer = NULL;
    int error, access;

    ZEND_PARSE_PARAMETERS_START(1, 3)
    Z_PARAM_LONG(descriptor)
    Z_PARAM_OPTIONAL
    Z_PARAM_BOOL(write)
    Z_PARAM_BOOL(any_owner)
    ZEND_PARSE_PARAMETERS_END();
    access = any_owner ? SEQSHARE_ANY_OWNER : 0;
    error = descriptor < 0 || descriptor > INT_MAX
                ? -EBADF
                : seqshare_attach(&source, (int)descriptor, SEQSHARE_READ | access);
    if (error == 0 && write &&
        (error = seqshare_attach(&writer, (int)descriptor, SEQSHARE_WRITE | access)) != 0)
        seqshare_close(source);
    if (error) {
        throw_error("a share without a name", error);
        RETURN_THROWS();
    }
    new_object(return_value, NULL, source, writer, any_owner);
}

ZEND_METHOD(Seqshare_Share, unlink)
{
    zend_string *name;
    int error;

    ZEND_PARSE_PARAMETERS_START(1, 1)
    Z_PARAM_PATH_STR(name)
    ZEND_PARSE_PARAMETERS_END();
    error = seqshare_unlink(ZSTR_VAL(name));
    if (error)
        throw_error(ZSTR_VAL(name), error);
}

/* ---- reading ----------------------------------------------------------------------------------- */

/* Where the name leads. */
static const seqshare *reading(struct share_object *share)
{
    follower_follow(&share->follower);
    return share->follower.source;
}

static int read_all(struct share_object *share, seqshare_reading *found)
{
    *found = (seqshare_reading){.bytes = NULL};
    return seqshare_pread(reading(share), found);
}

static void throw_no_document(struct share_object *share)
{
    struct follower *follower = &share->follower;

    if (follower->refused)
        zend_throw_exception_ex(exception_class, EBADMSG, "%s: version %" PRIu64 " cannot be used: %s",
                                follower->name, follower->seen.version, follower->why);
    else
        share_throw(share, follower->read_trouble ? follower->read_trouble : -ENODATA);
}

ZEND_METHOD(Seqshare_Share, snapshot)
{
    struct share_object *share = share_of(ZEND_THIS);
    struct document *document;

    ZEND_PARSE_PARAMETERS_NONE();
    document = follower_newest(&share->follower);
    if (document)
        RETURN_COPY(&document->root);
    throw_no_document(share);
}

ZEND_METHOD(Seqshare_Share, get)
{
    struct share_object *share = share_of(ZEND_THIS);
    seqshare_reading found;
    int error;

    ZEND_PARSE_PARAMETERS_NONE();
    error = read_all(share, &found);
    if (error) {
        share_throw(share, error);
        RETURN_THROWS();
    }
    RETVAL_STRINGL(found.bytes, found.length);
    free(found.bytes);
}

ZEND_METHOD(Seqshare_Share, version)
{
    struct share_object *share = share_of(ZEND_THIS);
    uint64_t version = 0;
    int error;

    ZEND_PARSE_PARAMETERS_NONE();
    served_look_again(false);
    error = seqshare_pversion(reading(share), &version);
    if (error)
        share_throw(share, error);
    else
        RETURN_LONG((zend_long)version);
}

ZEND_METHOD(Seqshare_Share, age)
{
    struct share_object *share = share_of(ZEND_THIS);

    ZEND_PARSE_PARAMETERS_NONE();
    if (follower_newest(&share->follower))
        RETURN_DOUBLE(follower_age(&share->follower));
}

static void add_facts(zval *array, const struct seqshare_stat *stat)
{
    add_assoc_long(array, "version", (zend_long)stat->version);
    add_assoc_long(array, "length", (zend_long)stat->length);
    add_assoc_long(array, "capacity", (zend_long)stat->capacity);
    add_assoc_long(array, "allocated", (zend_long)stat->allocated);
    add_assoc_double(array, "created", (double)stat->created / (double)SECOND);
    add_assoc_double(array, "published", (double)stat->published / (double)SECOND);
    add_assoc_stringl(array, "region_id", (const char *)stat->region_id, sizeof stat->region_id);
    add_assoc_long(array, "tag", stat->tag);
    add_assoc_long(array, "slots", stat->slots);
    add_assoc_long(array, "writer", stat->writer);
    add_assoc_long(array, "owner", stat->owner);
    add_assoc_bool(array, "owner_alive", stat->owner_alive);
    add_assoc_bool(array, "replaced", stat->replaced);
    add_assoc_bool(array, "unlinked", stat->unlinked);
    add_assoc_long(array, "foreign", stat->foreign);
}

static void add_snapshot_facts(zval *array, const struct share_object *share)
{
    const struct follower *follower = &share->follower;

    add_assoc_bool(array, "writable", share->writer != NULL);
    add_assoc_long(array, "snapshot_version",
                   follower->document ? (zend_long)follower->document->origin.version : 0);
    add_assoc_long(array, "decoded", (zend_long)follower->decoded);
    add_assoc_long(array, "failed", (zend_long)follower->refusals);
    add_assoc_long(array, "moved", (zend_long)follower->moved);
    add_assoc_long(array, "follow_error", -follower->name_trouble);
}

ZEND_METHOD(Seqshare_Share, stat)
{
    struct share_object *share = share_of(ZEND_THIS);
    struct seqshare_stat stat;
    int error;

    ZEND_PARSE_PARAMETERS_NONE();
    error = seqshare_pstat(reading(share), &stat);
    if (error) {
        share_throw(share, error);
        RETURN_THROWS();
    }
    array_init(return_value);
    add_facts(return_value, &stat);
    add_snapshot_facts(return_value, share);
}

/* ---- waiting ----------------------------------------------------------------------------------- */

static int64_t now(void)
{
    struct timespec clock;

    clock_gettime(CLOCK_MONOTONIC, &clock);
    return (int64_t)clock.tv_sec * SECOND + clock.tv_nsec;
}

/* Until there is another version, or another region, or somebody has a turn. */
static void wait_a_slice(struct share_object *share, uint64_t seen, int64_t left)
{
    if (seqshare_wait(share->follower.source, seen, left < SLICE ? left : SLICE) != -EIDRM)
        return;
    if (share->follower.name_trouble) /* the new region cannot be opened */
        usleep(50000);
    share->follower.next_check = 0;
}

/* 0: there is a version other than `seen`. */
static int wait_for(struct share_object *share, uint64_t seen, int64_t ns, uint64_t *version)
{
    const int64_t end = ns < 0 ? INT64_MAX : now() + ns;
    int error;

    for (;;) {
        const int64_t left = end - now();

        error = seqshare_pversion(reading(share), version);
        if (error || *version != seen)
            return error;
        if (left <= 0)
            return -ETIMEDOUT;
        wait_a_slice(share, seen, left);
        if (!waiting_may_go_on())
            return -EINTR;
    }
}

ZEND_METHOD(Seqshare_Share, wait)
{
    struct share_object *share = share_of(ZEND_THIS);
    zend_long seen = 0;
    bool seen_is_null = true, timeout_is_null = true;
    double timeout = 0;
    uint64_t version;
    int64_t ns;
    int error = 0;

    ZEND_PARSE_PARAMETERS_START(0, 2)
    Z_PARAM_OPTIONAL
    Z_PARAM_LONG_OR_NULL(seen, seen_is_null)
    Z_PARAM_DOUBLE_OR_NULL(timeout, timeout_is_null)
    ZEND_PARSE_PARAMETERS_END();
    if (!timeout_to_ns(timeout_is_null, timeout, &ns))
        RETURN_THROWS();
    version = (uint64_t)seen;
    if (seen_is_null)
        error = seqshare_pversion(reading(share), &version);
    if (error == 0)
        error = wait_for(share, version, ns, &version);
    served_look_again(true);
    if (error == 0)
        RETURN_LONG((zend_long)version);
    if (error != -ETIMEDOUT)
        share_throw(share, error);
}

/* ---- writing ----------------------------------------------------------------------------------- */

ZEND_METHOD(Seqshare_Share, set)
{
    zval *value;
    int error;

    ZEND_PARSE_PARAMETERS_START(1, 1)
    Z_PARAM_ZVAL(value)
    ZEND_PARSE_PARAMETERS_END();
    write_publish_value(share_of(ZEND_THIS), value, NULL, &error);
}

ZEND_METHOD(Seqshare_Share, setIf)
{
    zend_long expected;
    zval *value;
    uint64_t version;
    int error;

    ZEND_PARSE_PARAMETERS_START(2, 2)
    Z_PARAM_LONG(expected)
    Z_PARAM_ZVAL(value)
    ZEND_PARSE_PARAMETERS_END();
    version = (uint64_t)expected;
    if (write_publish_value(share_of(ZEND_THIS), value, &version, &error))
        RETURN_BOOL(error == 0);
}

ZEND_METHOD(Seqshare_Share, setJson)
{
    zend_string *json;
    int error;

    ZEND_PARSE_PARAMETERS_START(1, 1)
    Z_PARAM_STR(json)
    ZEND_PARSE_PARAMETERS_END();
    write_publish_text(share_of(ZEND_THIS), json, NULL, &error);
}

ZEND_METHOD(Seqshare_Share, setBytes)
{
    struct share_object *share = share_of(ZEND_THIS);
    char *bytes;
    size_t length;
    zend_long tag = 0;
    int error;

    ZEND_PARSE_PARAMETERS_START(1, 2)
    Z_PARAM_STRING(bytes, length)
    Z_PARAM_OPTIONAL
    Z_PARAM_LONG(tag)
    ZEND_PARSE_PARAMETERS_END();
    if (tag < 0 || tag > UINT32_MAX) {
        zend_argument_value_error(2, "must be from 0 to 4294967295");
        RETURN_THROWS();
    }
    error = write_publish(share, bytes, length, (uint32_t)tag, NULL);
    if (error)
        share_throw(share, error);
}

ZEND_METHOD(Seqshare_Share, lock)
{
    struct share_object *share = share_of(ZEND_THIS);
    bool is_null = true;
    double timeout = 0;
    int64_t ns;
    int result;

    ZEND_PARSE_PARAMETERS_START(0, 1)
    Z_PARAM_OPTIONAL
    Z_PARAM_DOUBLE_OR_NULL(timeout, is_null)
    ZEND_PARSE_PARAMETERS_END();
    if (!timeout_to_ns(is_null, timeout, &ns))
        RETURN_THROWS();
    result = write_lock(share, ns);
    if (result < 0)
        share_throw(share, result);
    else
        lock_new(return_value, share, result == 1);
}

ZEND_METHOD(Seqshare_Share, dropWrite)
{
    struct share_object *share = share_of(ZEND_THIS);
    int error;

    ZEND_PARSE_PARAMETERS_NONE();
    error = seqshare_drop_write(share->writer);
    if (error && share->writer) {
        share_throw(share, error);
        RETURN_THROWS();
    }
    if (share->writer != share->follower.source)
        seqshare_close(share->writer);
    share->writer = NULL;
}

void share_register(void)
{
    share_class->create_object = create;
    handlers = *zend_get_std_object_handlers();
    handlers.offset = XtOffsetOf(struct share_object, std);
    handlers.free_obj = free_share;
    handlers.clone_obj = NULL;
}
