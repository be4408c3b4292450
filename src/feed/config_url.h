/* SPDX-License-Identifier: MIT */
/* The URL of a source: endpoints and a path. */
#ifndef SEQSHARE_FEED_CONFIG_URL_H
#define SEQSHARE_FEED_CONFIG_URL_H

#include "config.h"

/* Take scheme, endpoints, path and key from SCHEME://HOST:PORT,HOST:PORT/PATH or file:/PATH. NULL, or the sentence
 * that says what is wrong with it. */
const char *config_url_take(struct config *config, const char *url);

/* Are all endpoints this machine's own, by their text? */
bool config_url_is_loopback(const struct config *config);

#endif
