/* SPDX-License-Identifier: MIT */
/* The table of sources: a line for each kind. For source.c alone. */
#ifndef SEQSHARE_FEED_SOURCES_H
#define SEQSHARE_FEED_SOURCES_H

#include "source.h"

extern const struct source_type source_etcd, source_file, source_http;

static const struct source_type *const sources[] = {&source_etcd, &source_file, &source_http};

#endif
