/* SPDX-License-Identifier: MIT */
/* systemd's notifications: sd_notify's protocol is one datagram, so no library is needed. Without systemd: nothing. */
#ifndef SEQSHARE_FEED_NOTIFY_H
#define SEQSHARE_FEED_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STATUS=...", "WATCHDOG=1", "STOPPING=1". */
void notify_send(const char *text);

/* How often the watchdog wants to hear of us, in ns; 0: never. */
int64_t notify_watchdog(void);

#endif
