/* SPDX-License-Identifier: MIT */
/*
 * The shares of php.ini: opened when PHP starts, perhaps as root, and inherited by the workers.
 *
 * php-fpm's master executes itself on a reload (SIGUSR2), with a new memory. So that the workers that start then agree
 * with those before, also when the share has a value just then that cannot be used, the last good documents go along:
 * their descriptors stay open over that, and an environment variable has their numbers. Only the master keeps both.
 */
#include "php_seqshare.h"

#include <SAPI.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zend_smart_str.h>

#define HANDED_OVER "SEQSHARE_PHP_LAST_GOOD"

static struct served *all;
static size_t count;
static HashTable numbers; /* of `all`, by their names */
static bool is_started, hands_over;
static bool *was_said; /* shared by all workers */

/* ---- handing over ------------------------------------------------------------------------------ */

/* "NAME=DESCRIPTOR," for each share. A number that is something else by now does no harm. */
static seqshare *inherit(const char *name)
{
    const size_t length = strlen(name);
    const char *at = getenv(HANDED_OVER);
    seqshare *good = NULL;
    int fd;

    for (; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, name, length) != 0 || at[length] != '=')
            continue;
        fd = atoi(at + length + 1);
        if (fd > 2)
            seqshare_attach(&good, fd, SEQSHARE_WRITE);
        return good;
    }
    return NULL;
}

static void hand_over(void)
{
    smart_str value = {0};

    for (size_t i = 0; i < count; i++) {
        const int fd = seqshare_fd(all[i].good, SEQSHARE_WRITE);

        if (fd < 0)
            continue;
        fcntl(fd, F_SETFD, 0); /* stays open over exec */
        smart_str_append_printf(&value, "%s=%d,", all[i].name, fd);
    }
    smart_str_0(&value);
    if (value.s)
        setenv(HANDED_OVER, ZSTR_VAL(value.s), 1);
    smart_str_free(&value);
}

/* Not before all have been inherited: a number that is closed is given to something else. */
static void end_handing_over(void)
{
    const char *at = getenv(HANDED_OVER);

    for (at = at ? strchr(at, '=') : NULL; at; at = strchr(at + 1, '='))
        if (atoi(at + 1) > 2)
            close(atoi(at + 1));
    unsetenv(HANDED_OVER);
}

/* A worker's children must not get them. */
void served_begin_worker(void)
{
    if (hands_over)
        end_handing_over();
    hands_over = false;
}

/* ---- starting ---------------------------------------------------------------------------------- */

static void complain(const char *part, size_t length, const char *why)
{
    zend_error(E_CORE_WARNING, "seqshare.open: \"%.*s\": %s", (int)length, part, why);
    fflush(stdout); /* or each worker says it again at its end */
}

static struct follower follower_of(const struct served *served)
{
    return (struct follower){
        .name = served->name,
        .path = served->path,
        .access = SEQSHARE_READ,
        .source = served->source,
        .good = served->good,
        .journal = served->journal,
    };
}

/* So that the first document is kept before a bad one comes, and so that PHP says at its start what is wrong. */
static void keep_first(struct served *served)
{
    struct follower follower = follower_of(served);

    follower.owns_source = true;
    follower_keep(&follower);
    served->source = follower.source;
}

static void *new_shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void served_say_once(const char *name, const char *text)
{
    if (!was_said || !__atomic_exchange_n(was_said, true, __ATOMIC_RELAXED)) /* orders nothing */
        log_line(name, text);
}

static void let_go(struct served *served)
{
    seqshare_close(served->source);
    seqshare_close(served->good);
    if (served->journal)
        munmap(served->journal, sizeof *served->journal);
    free((char *)(uintptr_t)served->name);
    free((char *)(uintptr_t)served->path);
}

/* What is wrong with it; NULL: nothing that time cannot mend. */
static const char *start_one(struct served *served)
{
    int error = seqshare_open(&served->source, served->path, SEQSHARE_READ);

    if (error == -EINVAL || error == -ENAMETOOLONG)
        return seqshare_strerror(error);
    served->journal = new_shared_memory(sizeof *served->journal);
    if (!served->journal)
        return "not enough memory";
    error = good_make(served, inherit(served->name));
    if (error)
        return seqshare_strerror(error);
    keep_first(served);
    return NULL;
}

static void add(const char *name, size_t name_length, const char *path, size_t path_length)
{
    struct served served = {.name = strndup(name, name_length), .path = strndup(path, path_length)};
    const char *wrong;
    zval number;

    if (zend_hash_str_exists(&numbers, name, name_length))
        wrong = "this name is given twice";
    else
        wrong = start_one(&served);
    if (wrong) {
        complain(name, (size_t)(path + path_length - name), wrong);
        let_go(&served);
        return;
    }
    all = perealloc(all, (count + 1) * sizeof *all, 1);
    all[count] = served;
    ZVAL_LONG(&number, (zend_long)count++);
    zend_hash_str_add(&numbers, name, name_length, &number);
}

/* NAME=PATH, or the name of a share alone. */
static void add_part(const char *part, size_t length)
{
    const char *equals = memchr(part, '=', length);
    const char *path = equals ? equals + 1 : part;
    const size_t name_length = equals ? (size_t)(equals - part) : length;
    const size_t path_length = length - (size_t)(path - part);

    if (name_length == 0 || path_length == 0)
        complain(part, length, "expected NAME=PATH, or the name of a share");
    else if (!equals && memchr(part, '/', length))
        complain(part, length, "a path needs a name before it: NAME=PATH");
    else if (memchr(path, '/', path_length) && *path != '/')
        complain(part, length, "a path must begin with a slash");
    else
        add(part, name_length, path, path_length);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Parts stand between commas; blanks around them do not count. */
static void add_parts(const char *setting)
{
    while (*setting) {
        size_t length = strcspn(setting, ","), whole = length;
        const char *part = setting;

        while (length > 0 && is_blank(*part))
            part++, length--;
        while (length > 0 && is_blank(part[length - 1]))
            length--;
        if (length > 0)
            add_part(part, length);
        setting += whole + (setting[whole] == ',');
    }
}

void served_start(const char *setting)
{
    zend_hash_init(&numbers, 0, NULL, NULL, 1);
    is_started = true;
    was_said = new_shared_memory(sizeof *was_said);
    add_parts(setting ? setting : "");
    end_handing_over(); /* by the program before this one */
    hands_over = strcmp(sapi_module.name, "fpm-fcgi") == 0;
    if (hands_over)
        hand_over();
}

void served_stop(void)
{
    if (!is_started)
        return;
    for (size_t i = 0; i < count; i++)
        let_go(&all[i]);
    if (was_said)
        munmap(was_said, sizeof *was_said);
    pefree(all, 1);
    all = NULL;
    was_said = NULL;
    count = 0;
    zend_hash_destroy(&numbers);
    is_started = false;
}

/* ---- requests ---------------------------------------------------------------------------------- */

static struct follower *make_followers(void)
{
    struct follower *followers = pecalloc(count, sizeof *followers, 1);

    for (size_t i = 0; i < count; i++)
        followers[i] = follower_of(&all[i]);
    return followers;
}

struct follower *served_find(zend_string *name)
{
    const zval *number = zend_hash_find(&numbers, name);

    if (UNEXPECTED(!number))
        return NULL;
    if (UNEXPECTED(!SEQSHARE_G(followers)))
        SEQSHARE_G(followers) = make_followers();
    return &SEQSHARE_G(followers)[Z_LVAL_P(number)];
}

void served_look_again(bool at_names)
{
    SEQSHARE_G(request)++;
    for (size_t i = 0; at_names && SEQSHARE_G(followers) && i < count; i++)
        SEQSHARE_G(followers)[i].next_check = 0;
}

/* Nothing of the request is left but counts of references. */
void served_end_request(void)
{
    struct document *document;

    while ((document = SEQSHARE_G(old))) {
        SEQSHARE_G(old) = document->next;
        document_free(document);
    }
    for (size_t i = 0; SEQSHARE_G(followers) && i < count; i++)
        document_end_request(SEQSHARE_G(followers)[i].document);
}

/* `globals` are those of a thread that has ended, or of the process. */
void served_end_thread(void *globals)
{
    zend_seqshare_globals *own = globals;

    for (size_t i = 0; own->followers && i < count; i++) {
        document_free(own->followers[i].document);
        if (own->followers[i].owns_source)
            seqshare_close(own->followers[i].source);
    }
    if (own->followers)
        pefree(own->followers, 1);
    own->followers = NULL;
}
