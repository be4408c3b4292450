/* SPDX-License-Identifier: MIT */
/* From keys to a document, and what a document must be. */
#ifndef SEQSHARE_FEED_FORM_H
#define SEQSHARE_FEED_FORM_H

#include <stdbool.h>

#include "config.h"
#include "document.h"
#include "keys.h"

enum { FORM_WHY = 400, FORM_KEYS_MOST = 4096 };

/*
 * The document of these keys. 0; -EBADMSG they are none, and `why` says which key is at fault, and never its value;
 * -ENOMEM, said in the same way.
 */
int form_build(const struct config *config, const struct keys *keys, struct document *document,
               char why[FORM_WHY]);

/* Why a document was not accepted, by its kind. */
enum form_fault { FORM_FINE, FORM_TOO_LONG, FORM_TOO_DEEP, FORM_NOT_JSON };

/* Size, depth, JSON. */
enum form_fault form_judge(const struct config *config, const struct document *document, char why[FORM_WHY]);

/* Is it so much shorter than the one before that it is held? */
bool form_shrinks(const struct config *config, const struct document *before, const struct document *now);

/* A name that may have any bytes, for a message: at most `room` bytes, with \xNN for what is not plain. */
void form_printable(char *into, size_t room, const char *name, size_t length);

#endif
