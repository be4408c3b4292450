/* SPDX-License-Identifier: MIT */
/* The functions of the unloading test's plugin. */
#ifndef CACHE_PLUGIN_H
#define CACHE_PLUGIN_H

int plugin_begin(void);
void plugin_request(void);
void plugin_end(void);

#endif
