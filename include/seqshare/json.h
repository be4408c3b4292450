/* SPDX-License-Identifier: MIT */
/*
 * JSON documents in a share: functions that check a document before they publish it, read it as a tree that is parsed
 * once per version, and find values by JSON Pointer (RFC 6901). In libseqshare-json, which needs libseqshare-cache and
 * json-c.
 *
 *     seqshare_cache_new(&cache, config, seqshare_json_decode, seqshare_json_destroy, NULL);
 *
 *     const seqshare_json *document = seqshare_cache_get(cache);
 *     bool dark = seqshare_json_bool(seqshare_json_find(document, "/flags/dark"), false);
 *
 * If a name occurs twice in one object, the last one counts.
 *
 * The document is the object of a cache, of either kind. The document, its values and their strings stay as long as
 * that object does: the caller frees none of them. All functions of a document only read: any number of threads may
 * call them at once. Nothing here is for signal handlers.
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
 * Is it one JSON document, and nothing else? docs/json.md has the grammar, which seqshare_json_decode follows too: RFC
 * 8259 in strict UTF-8, with no half of a surrogate pair, no zero character in a name, no number beyond a double, and
 * at most 512 open brackets. Needs no memory. Errors:
 *   -EBADMSG   it is not, and `why` (NULL: not wanted) says what is wrong, and in which line and byte
 *   -EINVAL    NULL text
 */
SEQSHARE_API int seqshare_json_check(const char *text, size_t length, char why[SEQSHARE_JSON_WHY_SIZE]);

/*
 * Check a document and publish it, as seqshare_set and as seqshare_set_if do. The type tag SEQSHARE_TAG_JSON tells
 * others that it passed seqshare_json_check. `why` is "" unless the text was at fault. Errors: those of
 * seqshare_json_check, and of seqshare_set or seqshare_set_if.
 */
SEQSHARE_API int seqshare_json_publish(seqshare *share, const char *text, size_t length,
                                       char why[SEQSHARE_JSON_WHY_SIZE]);
SEQSHARE_API int seqshare_json_publish_if(seqshare *share, uint64_t *version, const char *text, size_t length,
                                          char why[SEQSHARE_JSON_WHY_SIZE]);

/* ---- documents ------------------------------------------------------------------------------- */

typedef struct seqshare_json seqshare_json;

/* A value in a document: json-c's, for programs that want to use json-c. (NULL is null there too.) */
typedef struct json_object seqshare_json_value;

/*
 * Decode and destroy a document, for a cache. errno is EBADMSG if seqshare_json_check refuses the text, and ENOMEM if
 * there is no memory. `context` is not used.
 */
SEQSHARE_API void *seqshare_json_decode(void *bytes, size_t length, uint64_t version, void *context);
SEQSHARE_API void seqshare_json_destroy(void *document);

/*
 * The value at a JSON Pointer, such as "/limits/3/rate" ("" is the whole document). NULL: there is none, or it is null,
 * or the pointer's syntax is wrong, or the document is NULL, or there is no memory to take the pointer apart. Prepare a
 * pointer that you use often: that is faster, and needs no memory later.
 */
SEQSHARE_API const seqshare_json_value *seqshare_json_find(const seqshare_json *document,
                                                           const char *pointer);

typedef struct seqshare_json_pointer seqshare_json_pointer;

/*
 * Prepare a pointer, for any document, and for any number of threads at once. It remembers where it led in the newest
 * document that it was used on, so that using it again costs a few loads. The caller releases it. Errors:
 *   -EINVAL    NULL, or wrong syntax: the pointer is not "" and does not begin with /, or it has a ~ without 0 or 1
 *              after it
 *   -ENOMEM    not enough memory
 */
SEQSHARE_API int seqshare_json_prepare(seqshare_json_pointer **prepared, const char *pointer);
SEQSHARE_API const seqshare_json_value *seqshare_json_at(const seqshare_json *document,
                                                         const seqshare_json_pointer *pointer);
SEQSHARE_API void seqshare_json_release(seqshare_json_pointer *pointer); /* NULL is fine */

/* ---- values ---------------------------------------------------------------------------------- */

/*
 * The value, or `otherwise` if it is NULL or of another type. Nothing is converted, but an integer is a number too. An
 * integer that int64_t cannot hold is of another type.
 */
SEQSHARE_API bool seqshare_json_bool(const seqshare_json_value *value, bool otherwise);
SEQSHARE_API int64_t seqshare_json_integer(const seqshare_json_value *value, int64_t otherwise);
SEQSHARE_API double seqshare_json_number(const seqshare_json_value *value, double otherwise);
SEQSHARE_API const char *seqshare_json_string(const seqshare_json_value *value, const char *otherwise);

/*
 * The number of bytes in a string, without the zero byte at its end. It is more than strlen says if the string has a
 * zero character (\u0000) in it. 0: the value is not a string.
 */
SEQSHARE_API size_t seqshare_json_string_length(const seqshare_json_value *value);

/*
 * A value as text for a header, a variable or an environment, by one rule for all hosts. A string is its contents,
 * without quotes. true and false are these words. A number has every digit that the document gives it. An object or
 * array is JSON, on one line, without blanks, its names in the order of the document. *text is malloc'ed, ends with a
 * zero byte, and is the caller's to free. Returns its length.
 *
 * The text may have control characters, and zero characters before its end, if a string has them. A caller that cannot
 * carry these must look. For the values of seqshare_json_decode only. Any number of threads may ask for the same value
 * at once. Errors, *text NULL:
 *   -ENODATA   the value is NULL (absent, or null)
 *   -ENOMEM    not enough memory
 *   -EINVAL    text NULL
 */
SEQSHARE_API ssize_t seqshare_json_text(const seqshare_json_value *value, char **text);

#ifdef __cplusplus
}
#endif

#endif
