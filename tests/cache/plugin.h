/* SPDX-License-Identifier: MIT */
/* What the plugin of the unloading test offers. */
#ifndef CACHE_PLUGIN_H
#define CACHE_PLUGIN_H

int plugin_begin(void);
void plugin_request(void);
void plugin_end(void);

#endif
