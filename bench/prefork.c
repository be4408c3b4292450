/* SPDX-License-Identifier: MIT */
/* The benchmark on real work: the rounds of all contenders, the kills, the verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"
#include "clock.h"
#include "crash.h"
#include "options.h"
#include "table.h"

/* The publisher that noticed a change has ended with its round: the next one starts from here. */
static void refresh(struct board *board, struct document *document, bool noticed)
{
    static char said[256];
    char reason[256];

    if (!document_changed(document))
        return;
    if (document_load(document, reason, sizeof reason))
        board->changes += !noticed;
    else if (strcmp(said, reason) != 0)
        board_say(board, "%s: the last good one stays", strcpy(said, reason));
}

static void run_rounds(struct board *board, struct document *document)
{
    const struct options *options = board->options;
    int64_t ns = (int64_t)options->seconds * SECOND / ROUNDS;

    for (unsigned turn = 0; turn < ROUNDS; turn++) {
        for (unsigned i = 0; i < options->count && !interrupted(); i++) {
            struct stage plan = {.contender = options->chosen[i],
                                 .document = document,
                                 .rate = options->rate,
                                 .pausing = true};
            struct round *round = &board->rounds[i][turn];

            if (board->done[i] != turn || (turn > 0 && round[-1].error != 0))
                continue;
            board->now = i;
            round_run(&plan, options->workers, ns, round, board_progress, board);
            if (interrupted())
                break;
            board_round_done(board);
            refresh(board, document, round->changes > 0);
        }
    }
    board->now = options->count;
}

static bool round_is_bad(const struct contender *contender, const struct round *all)
{
    bool excused = contender->cannot_help & CONTENDER_CAN_TEAR;

    if (all->left_out)
        return false;
    return all->error != 0 || all->stuck || (!excused && (all->torn > 0 || all->backwards > 0));
}

static bool crash_is_bad(const struct contender *contender, const struct crash *crash)
{
    bool can_spoil = contender->cannot_help & CONTENDER_CAN_SPOIL;
    bool can_hang = contender->cannot_help & CONTENDER_CAN_HANG;
    bool hangs = crash_hangs(crash);

    return crash->error != 0 || (hangs && !can_hang) || crash->saw_newest + hangs < crash->respawned ||
           (!can_spoil && (crash->torn > 0 || crash->backwards > 0));
}

/* A contender that can hang gets several chances to. Returns how many runs went wrong in a forbidden way. */
static unsigned crash_often(const struct stage *plan, unsigned workers, struct crash *first)
{
    bool can_hang = plan->contender->cannot_help & CONTENDER_CAN_HANG;
    unsigned bad;

    crash_run(plan, workers, first);
    bad = crash_is_bad(plan->contender, first);
    while (can_hang && first->error == 0 && first->runs < CRASH_RUNS && !interrupted()) {
        struct crash again;

        crash_run(plan, workers, &again);
        first->runs++;
        first->runs_hung += crash_hangs(&again);
        bad += crash_is_bad(plan->contender, &again);
    }
    return bad;
}

/* All but what tears anyway. How many did what they must not. */
static unsigned run_crashes(const struct board *board, struct document *document)
{
    const struct options *options = board->options;
    unsigned bad = 0;

    table_crash_head(options->workers);
    for (unsigned i = 0; i < options->count && !interrupted(); i++) {
        struct stage plan = {.contender = options->chosen[i], .document = document};
        struct crash crash;

        if (plan.contender->cannot_help & CONTENDER_CAN_TEAR || board->rounds[i][0].left_out)
            continue;
        bad += crash_often(&plan, options->workers, &crash);
        if (interrupted())
            break;
        table_crash(plan.contender, &crash);
    }
    if (!interrupted())
        table_crash_legend();
    return bad;
}

static unsigned count_bad_rounds(const struct board *board)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < board->options->count; i++) {
        struct round all = round_summary(board->rounds[i], board->done[i]);

        bad += round_is_bad(board->options->chosen[i], &all);
    }
    return bad;
}

int main(int count, char **words)
{
    static struct board board;
    struct options options;
    struct document document = {.path = NULL};
    char reason[256];
    int64_t began = clock_now();
    unsigned bad;

    options_read(count, words, &options);
    document.path = options.file;
    if (!document_load(&document, reason, sizeof reason)) {
        fprintf(stderr, "prefork: %s\n", reason);
        return 2;
    }
    catch_interrupts();
    table_head(&options, &document);
    board_begin(&board, &options);
    run_rounds(&board, &document);
    board_end(&board);
    table_rounds(&board);
    fflush(stdout);
    bad = count_bad_rounds(&board);
    if (!interrupted())
        bad += run_crashes(&board, &document);
    document_free(&document);
    if (interrupted()) {
        printf("\nInterrupted.\n");
        return 130;
    }
    printf("\n%s %.0f seconds in all.\n",
           bad ? "Something was torn, stuck or failed that must not be."
               : "Nothing was torn or stuck that must not be.",
           (double)(clock_now() - began) / (double)SECOND);
    return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
