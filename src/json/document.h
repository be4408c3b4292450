/* SPDX-License-Identifier: MIT */
/* A document as a cache holds it. */
#ifndef SEQSHARE_JSON_DOCUMENT_H
#define SEQSHARE_JSON_DOCUMENT_H

#include <json-c/json.h>
#include <seqshare/json.h>

/* In a box of its own, because NULL means null to json-c, and no object to a cache. */
struct seqshare_json {
    struct json_object *root;
    uint64_t number; /* from 1; no other document of this process has had it */
};

#endif
