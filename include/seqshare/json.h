/* SPDX-License-Identifier: MIT */
/*
 * JSON documents in a share: checked before they are published, read as a tree that is parsed once per
 * version, values found by JSON Pointer (RFC 6901). In libseqshare-json, which needs libseqshare-cache and
 * json-c.
 *
 *     seqshare_cache_new(&cache, config, seqshare_json_decode, seqshare_json_destroy, NULL);
 *
 *     const seqshare_json *document = seqshare_cache_get(cache);
 *     bool dark = seqshare_json_bool(seqshare_json_find(document, "/flags/dark"), false);
 *
 * Of a name that stands twice in one object, the last counts.
 *
 * The document is the object of a cache, of either kind; it, its values and their strings stay as long as
 * that does: nothing of them is the caller's to free. Everything about a document only reads: any number of
 * threads may do it at once. Nothing here is for signal handlers.
 */
#ifndef SEQSHARE_JSON_H
#define SEQSHARE_JSON_H

#include <seqshare/cache.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- publish --------------------------------------------------------------------------------- */

enum { SEQSHARE_JSON_WHY_SIZE = 160 };

/*
 * Is it one JSON document, and nothing else? docs/json.md has the grammar, by which seqshare_json_decode goes as
 * well: RFC 8259 in strict UTF-8, with no half of a surrogate pair, no zero character in a name, no number beyond a
 * double, and at most 512 open brackets. 0, or -EBADMSG, and `why` (NULL: not wanted) is a text that says what is
 * wrong, and in which line and byte. Errors: and -EINVAL NULL text. Needs no memory.
 */
SEQSHARE_API int seqshare_json_check(const char *text, size_t length, char why[SEQSHARE_JSON_WHY_SIZE]);

/* As seqshare_set, and as seqshare_set_if, but only what passes seqshare_json_check, and with the type tag
 * SEQSHARE_TAG_JSON, by which others know that it did. Errors: those of both; `why` is "" unless the text was at
 * fault. */
SEQSHARE_API int seqshare_json_publish(seqshare *share, const char *text, size_t length,
                                       char why[SEQSHARE_JSON_WHY_SIZE]);
SEQSHARE_API int seqshare_json_publish_if(seqshare *share, uint64_t *version, const char *text, size_t length,
                                          char why[SEQSHARE_JSON_WHY_SIZE]);

/* ---- documents ------------------------------------------------------------------------------- */

typedef struct seqshare_json seqshare_json;

/* A value in a document: json-c's, for those who want to use that. (NULL is null there, too.) */
typedef struct json_object seqshare_json_value;

/* For a cache. Errno is EBADMSG for what seqshare_json_check refuses, and ENOMEM where there is no memory. `context`
 * is not used. */
SEQSHARE_API void *seqshare_json_decode(void *bytes, size_t length, uint64_t version, void *context);
SEQSHARE_API void seqshare_json_destroy(void *document);

/*
 * The value at a JSON Pointer, such as "/limits/3/rate" ("" is the whole document); NULL: there is none, or
 * it is null, or the pointer's syntax is wrong, or the document is NULL, or there is no memory to take the
 * pointer apart. A pointer that is used often is better prepared: that is faster, and needs no memory then.
 */
SEQSHARE_API const seqshare_json_value *seqshare_json_find(const seqshare_json *document,
                                                           const char *pointer);

typedef struct seqshare_json_pointer seqshare_json_pointer;

/*
 * Prepare a pointer, for any document, and for any number of threads at once. It remembers where it led in the
 * newest document that it was asked of, so that asking again costs a few loads. The caller releases it.
 * Errors: -EINVAL NULL, or wrong syntax (it neither is "" nor begins with /, or has a ~ that neither 0 nor 1
 * follows); -ENOMEM.
 */
SEQSHARE_API int seqshare_json_prepare(seqshare_json_pointer **prepared, const char *pointer);
SEQSHARE_API const seqshare_json_value *seqshare_json_at(const seqshare_json *document,
                                                         const seqshare_json_pointer *pointer);
SEQSHARE_API void seqshare_json_release(seqshare_json_pointer *pointer); /* NULL is fine */

/* ---- values ---------------------------------------------------------------------------------- */

/*
 * The value, or `otherwise` where it is NULL or of another type: nothing is converted, but an integer is a
 * number. An integer that int64_t cannot hold is of another type.
 */
SEQSHARE_API bool seqshare_json_bool(const seqshare_json_value *value, bool otherwise);
SEQSHARE_API int64_t seqshare_json_integer(const seqshare_json_value *value, int64_t otherwise);
SEQSHARE_API double seqshare_json_number(const seqshare_json_value *value, double otherwise);
SEQSHARE_API const char *seqshare_json_string(const seqshare_json_value *value, const char *otherwise);

/* How many bytes a string has, without the zero byte behind it: more than strlen says, where it has a zero character
 * (\u0000) in it. 0: the value is no string. */
SEQSHARE_API size_t seqshare_json_string_length(const seqshare_json_value *value);

/*
 * A value as the text that a header, a variable or an environment gets, by one rule for all hosts: a string is what it
 * says, without quotes; true and false are these words; a number has every digit that the document gives it; an object
 * or array is JSON, on one line, without blanks, its names in the order of the document. *text is malloc'ed, has a
 * zero byte behind it, and is the caller's to free; its length is returned.
 *
 * It may have control characters, and zero characters before its end, wherever a string has: what cannot carry these
 * must look. Errors, *text NULL: -ENODATA the value is NULL (absent, or null); -ENOMEM; -EINVAL text NULL. For the
 * values of seqshare_json_decode only. Any number of threads may ask for the same value at once.
 */
SEQSHARE_API ssize_t seqshare_json_text(const seqshare_json_value *value, char **text);

#ifdef __cplusplus
}
#endif

#endif
