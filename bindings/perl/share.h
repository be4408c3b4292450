/* SPDX-License-Identifier: MIT */
/* The common declarations of the Perl binding: the object behind a Seqshare, its codecs, its errors. */
#ifndef SEQSHARE_PERL_SHARE_H
#define SEQSHARE_PERL_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <seqshare/seqshare.h>

#ifndef G_LIST /* its name before perl 5.32 */
#define G_LIST G_ARRAY
#endif

/* The parts know each other; the program that loads them must not. */
#pragma GCC visibility push(hidden)

/* The format of a value in the share. Numbers as in Seqshare.pm's %CODEC. */
enum codec { CODEC_RAW, CODEC_STORABLE, CODEC_SEREAL, CODEC_JSON, CODEC_CBOR, CODECS };

/* The library's handle. The clones of an object that ithreads make share one. */
struct handle {
    seqshare *share;
    unsigned users;
    char *name; /* from malloc, absolute where it is a path; NULL: there is none */
    int access; /* SEQSHARE_ANY_OWNER, or 0 */
};

/* The state of `snapshot`. */
struct latest {
    SV *value;        /* the last good one; NULL: there has been none */
    SV *trouble;      /* why the version that was tried last is not used; NULL: it is */
    uint64_t tried;   /* that version; 0: none */
    uint64_t told;    /* the last one that a warning was about */
    int64_t next_try; /* by now_coarse_ns: it could not be read, and is tried again then; 0: it could */
    SV *fresh;        /* within Seqshare::_decode: its result, */
    bool is_done;     /* and whether it came to its end */
};

/* Where the share's name leads, as far as we know. Times by now_coarse_ns. */
struct following {
    int64_t next_look; /* INT64_MAX: there is no name */
    int64_t next_word; /* an error is reported once a minute */
    bool is_retired;   /* as it was at the last look */
};

/* One Perl object, in one interpreter. */
struct share_object {
    struct handle *handle; /* NULL: closed */
    enum codec codec;
    SV *spare; /* a string to read the next value into; NULL: none is at hand */
    struct latest latest;
    struct following following;
    uint64_t seen;   /* the version that this object read or wrote last: `wait` waits for another */
    UV lock_number;  /* of the lock taken last; a guard knows which one is its own */
    pid_t locked_by; /* the process in which this object holds the lock; 0: it does not */
};

/* ---- object.c: objects and their lock ------------------------------------------------------------------ */

/* `name` NULL: the share has none. `access` as for seqshare_open. */
SV *new_object(pTHX_ const char *class, seqshare *share, const char *name, int access, IV codec);
struct share_object *object_of_hash(const SV *hash); /* NULL: none is behind it */
struct share_object *find_object(SV *self);          /* the same */
struct share_object *open_object(pTHX_ const char *method, SV *self);
struct share_object *hold_object(pTHX_ const char *method, SV *self); /* stays to the end of the statement */
seqshare *object_share(struct share_object *object);
int follow_name(struct share_object *object); /* as seqshare_reopen, also while clones use the handle */
void let_go(pTHX_ struct share_object *object);
SV *new_u64(pTHX_ uint64_t number);

int64_t now_ns(void);
int64_t now_coarse_ns(void);                          /* behind by a tick at most, and much cheaper to ask */
int64_t ns_of(pTHX_ const char *method, SV *seconds); /* -1, for ever, if there is no time */
bool holds_lock(const struct share_object *object);
bool lock_briefly(pTHX_ const char *method, struct share_object *object);
int lock_and_hold(pTHX_ const char *method, struct share_object *object, int64_t ns);
void give_lock_back(struct share_object *object);

/* ---- value.c: values, through the codec ---------------------------------------------------------------- */

/* A fresh value, as a mortal; NULL when nothing has been published. */
SV *read_value(pTHX_ const char *method, struct share_object *object, uint64_t *version);

/* The new version; 0: `expected` (if not NULL) is not the current one, *expected is. */
uint64_t write_value(pTHX_ const char *method, struct share_object *object, SV *value, uint64_t *expected);

/* ---- snapshot.c: the newest value that decodes, kept; of the region that the name leads to --------------- */

/* The object's own, read-only; NULL: nothing has been published. Croaks only if there is no good value to return. */
SV *find_snapshot(pTHX_ SV *self, struct share_object *object);

/* Seqshare::_decode, which find_snapshot calls within an eval: the program's code decodes a value. */
void decode_snapshot(pTHX_ struct share_object *object);

/* The share has another region now: keep the last value, and take any value there as new. */
void begin_anew(struct share_object *object);
void forget_snapshot(pTHX_ struct share_object *object);

/* ---- error.c: croak with one sentence, from the line of the program that called the module ------------- */

void refuse(pTHX_ const char *method, const char *reason) __attribute__((noreturn));
void refuse_error(pTHX_ const char *method, ssize_t error) __attribute__((noreturn));
void refuse_with(pTHX_ SV *sentence) __attribute__((noreturn));

/* Rethrow $@ of other code's croak, as a sentence of `method`; objects as they are. */
void refuse_exception(pTHX_ const char *method) __attribute__((noreturn));

/* The same without the place, as a mortal: for refuse_again, which says it again with the caller's line. */
SV *exception(pTHX);
void refuse_again(pTHX_ SV *exception) __attribute__((noreturn));
void warn_with(pTHX_ SV *sentence);

/* ---- codec.c ------------------------------------------------------------------------------------------- */

/* The Perl side of a codec; its four members come from Seqshare::_load_codec. */
struct codec_calls {
    SV *encode, *encoder; /* code, and its invocant (undef: none) */
    SV *decode, *decoder;
};

bool codec_load_json(void); /* false: there is no libseqshare-json */
void codecs_boot(pTHX);
void codecs_clone(pTHX);

/* The codec that wrote a value with this tag; NULL: some other program. */
const char *codec_of_tag(uint32_t tag);

/* A string with the bytes of `value`, the caller's own or a mortal, and their tag. */
SV *codec_encode(pTHX_ enum codec codec, const char *method, SV *value, uint32_t *tag);

/* A mortal with the value of `bytes` (which it may turn into that value). */
SV *codec_decode(pTHX_ enum codec codec, const char *method, SV *bytes, uint32_t tag);

/* ---- scalar.c: plain scalars, without a codec's overhead ----------------------------------------------- */

bool is_plain_scalar(pTHX_ SV *value);
SV *scalar_encode(pTHX_ SV *value);
/* Turns `bytes` into the scalar that is written in them; NULL: there is none. */
SV *scalar_decode(pTHX_ SV *bytes);

#pragma GCC visibility pop

#endif
