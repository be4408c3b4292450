/* SPDX-License-Identifier: MIT */
/* What operators decide: files in the state folder, which commands write and the agent sees by inotify. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "agent.h"
#include "words.h"

/* ---- accept and back ------------------------------------------------------------------------- */

bool operator_accepts(struct agent *agent, uint64_t revision)
{
    bool accepted = agent->accept_any || (agent->accept && agent->accept == revision);

    if (accepted) {
        agent_log(agent, "revision %" PRIu64 " was accepted by an operator", revision);
        agent->accept_any = false;
        agent->accept = 0;
        state_remove(&agent->state, "accept");
    }
    return accepted;
}

void operator_hold_back(struct agent *agent, bool hold)
{
    static const char text[] = "back\n";

    if (agent->back == hold)
        return;
    agent->back = hold;
    if (agent->state.folder < 0)
        return;
    if (hold)
        state_put(&agent->state, "held", text, sizeof text - 1, true);
    else
        state_remove(&agent->state, "held");
}

/* A wish that nothing waits for is forgotten: a hold that comes later must be accepted of its own. */
void operator_settle(struct agent *agent)
{
    if (!agent->accept_any && !agent->accept)
        return;
    agent_log(agent, "nothing is held that could be accepted");
    agent->accept_any = false;
    agent->accept = 0;
    state_remove(&agent->state, "accept");
}

static void look_at_accept(struct agent *agent)
{
    char text[64];
    ssize_t length = state_get(&agent->state, "accept", text, sizeof text);

    agent->accept_any = false;
    agent->accept = 0;
    if (length <= 0)
        return;
    text[strcspn(text, "\n")] = 0;
    agent->accept_any = strcmp(text, "any") == 0;
    if (!agent->accept_any && !words_number(text, &agent->accept))
        agent->accept = 0;
    if (!agent->keys)
        return;
    if (agent->report.held[0])
        change_consider(agent);
    operator_settle(agent);
}

/* ---- pin ------------------------------------------------------------------------------------- */

static void publish_pinned(struct agent *agent)
{
    char name[STATE_NAME], why[STATE_WHY], fault[FORM_WHY];
    struct document document;
    int error;

    snprintf(name, sizeof name, "history/%" PRIu64, agent->pin);
    error = state_read(&agent->state, name, &document, why);
    if (!error && form_judge(agent->config, &document, fault) != FORM_FINE) {
        snprintf(why, sizeof why, "%.190s", fault);
        error = -EBADMSG;
    }
    if (error) {
        snprintf(agent->report.pinned, REPORT_WHY, "to what stands: revision %" PRIu64 " cannot be used: %s",
                 agent->pin, why);
        document_free(&document);
        return;
    }
    if (document_same(&document, &agent->standing))
        document_free(&document);
    else
        change_publish(agent, &document, false);
}

static void look_at_pin(struct agent *agent)
{
    char text[64] = "";
    ssize_t length = state_get(&agent->state, "pin", text, sizeof text);
    uint64_t before = agent->pinned ? agent->pin : 0;
    bool was_pinned = agent->pinned;

    agent->pinned = length != -ENOENT; /* a pin that cannot be read is one: an operator wanted it */
    agent->report.pinned[0] = 0;
    if (!agent->pinned) {
        agent->pin = 0;
        if (was_pinned) {
            agent->at_once = true;
            change_consider(agent);
        }
        return;
    }
    text[strcspn(text, "\n")] = 0;
    if (!words_number(text, &agent->pin))
        agent->pin = agent->standing.revision;
    snprintf(agent->report.pinned, REPORT_WHY, "by an operator, to revision %" PRIu64, agent->pin);
    if (!was_pinned)
        change_forget(agent);
    if (agent->pin != before && (agent->pin != agent->standing.revision || !agent->standing.bytes))
        publish_pinned(agent);
}

/* ---- watching -------------------------------------------------------------------------------- */

static void notified(void *context, short events)
{
    struct agent *agent = context;
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t length;
    bool pin = false, accept = false;

    (void)events;
    while ((length = read(agent->operator_notify, buffer, sizeof buffer)) > 0)
        for (char *at = buffer; at < buffer + length;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            const char *name = event->len ? event->name : "";

            pin |= strcmp(name, "pin") == 0 || event->mask & IN_Q_OVERFLOW;
            accept |= strcmp(name, "accept") == 0 || event->mask & IN_Q_OVERFLOW;
            at += sizeof *event + event->len;
        }
    if (pin)
        look_at_pin(agent);
    if (accept)
        look_at_accept(agent);
    if (pin || accept)
        agent_tell(agent);
}

void operator_begin(struct agent *agent)
{
    char path[64], text[64];

    agent->operator_notify = -1;
    if (agent->state.folder < 0)
        return;
    agent->operator_notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", agent->state.folder);
    if (agent->operator_notify >= 0 &&
        (inotify_add_watch(agent->operator_notify, path,
                           IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM) >= 0 ||
         inotify_add_watch(agent->operator_notify, agent->config->state,
                           IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM) >= 0)) {
        agent->operator_watch = (struct loop_watch){
            .fd = agent->operator_notify, .events = POLLIN, .ready = notified, .context = agent};
        loop_watch(agent->loop, &agent->operator_watch);
    }
    agent->back = state_get(&agent->state, "held", text, sizeof text) != -ENOENT;
    look_at_pin(agent);
    look_at_accept(agent);
}

void operator_end(struct agent *agent)
{
    loop_forget(agent->loop, &agent->operator_watch);
    if (agent->operator_notify >= 0)
        close(agent->operator_notify);
}
