/* SPDX-License-Identifier: MIT */
/*
 * Sleeping until something is published: the wake word of src/wake.c.
 *
 * Checked: nobody sleeps for ever on a version or a retired mark that has come (an invalid end state). No
 * time-out of FUTEX_WAIT is needed but in two cases: a publisher was killed between publishing and waking; or
 * the sleeper cannot register, and no version after the one that it has seen was the first of its tick.
 *
 * Bounds (by -D): SLEEPERS, that follow every version to the last; PUBLISHERS that publish PUBLICATIONS
 * each, DEATHS of them killed in the middle; SPURIOUS returns of FUTEX_WAIT. With READER an onlooker follows the
 * versions as well that may not register, and before each publication the clock may go on by a tick, TICKS times.
 * With RETIRE the region is marked in the end, and the onlooker waits for the mark alone.
 *
 * spin runs everything in one order. A missing fence is therefore a step done out of turn: without D1
 * the look may come before the registration, without D2 the load of the word before the publication.
 *
 * Shows: WAIT-1, WAIT-2.
 */
#ifndef SLEEPERS
#define SLEEPERS 2
#endif
#ifndef PUBLISHERS
#define PUBLISHERS 2
#endif
#ifndef PUBLICATIONS
#define PUBLICATIONS 1
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef SPURIOUS
#define SPURIOUS 0
#endif

#ifndef TICKS
#define TICKS 0
#endif

#define ONLOOKER SLEEPERS
#define LAST (PUBLISHERS * PUBLICATIONS)

byte version; /* shared memory */
byte wake;
bool retired;

bool asleep[SLEEPERS + 1]; /* in the futex's queue */
byte tick = 1;  /* the coarse clock */
byte date[2];   /* of the version in each slot */
byte obliged;   /* the last version that was the first of its tick: its publisher must wake everybody */

byte deaths, spurious;
bool wake_died; /* a publisher was killed before it had woken whom it should */

/* Every atomic or d_step is one access to shared memory, with the private steps around it. */
inline futex_wait()
{
    if
    :: wake == w -> asleep[i] = true
    :: else
    fi;
    w = 0
}

inline return_from_wait()
{
    if
    :: !asleep[i]
    :: d_step { asleep[i] && spurious < SPURIOUS -> spurious++; asleep[i] = false }
#ifndef M_FOR_EVER
    :: atomic { timeout && asleep[i] && wake_died -> asleep[i] = false }
#ifdef READER
    :: atomic { timeout && asleep[i] && i == ONLOOKER && seen >= obliged -> asleep[i] = false }
#endif
#endif
    fi
}

inline futex_wake_all()
{
    d_step {
#if SLEEPERS > 0
        asleep[0] = false;
#endif
#if SLEEPERS > 1 && !defined M_WAKE_ONE
        asleep[1] = false;
#endif
#if SLEEPERS > 2 && !defined M_WAKE_ONE
        asleep[2] = false;
#endif
        asleep[ONLOOKER] = false
    }
}

inline register()
{
    d_step {
        wake = wake | 1;
        w = wake
    }
}

inline look()
{
#ifdef RETIRE
    marked = retired;
#endif
    now = version
}

active [SLEEPERS] proctype sleeper()
{
    byte i = _pid, seen, now, w;
    bool marked;

    do
    :: atomic { seen == LAST || (marked && now == seen) -> break }
    :: atomic { seen < LAST && !(marked && now == seen) -> marked = false };
#if defined M_REGISTER_LATE
        look();
        register();
#elif defined M_NO_D1
        if
        :: register(); look()
        :: look(); register()
        fi;
#else
        register();
        look();
#endif
        if
        :: atomic { now != seen -> seen = now; w = 0 }
        :: atomic { now == seen && marked -> w = 0 } /* -EIDRM */
        :: atomic { now == seen && !marked -> futex_wait() }
            return_from_wait()
        fi
    od
}

inline bump()
{
    d_step {
        bumped = (wake == w);
#if defined M_NO_BUMP
        bumped = true
#elif defined M_NO_COUNT
        if
        :: bumped -> wake = w & ~1
        :: else
        fi
#else
        if
        :: bumped -> wake = (w | 1) + 1
        :: else
        fi
#endif
    }
}

/*
 * If it fails, another publisher has counted, and wakes; or, with the bit clear, a sleeper has registered, and
 * nobody else wakes.
 */
inline wake_sleepers()
{
    if
#ifdef M_WAKE_BEFORE_BUMP
    :: atomic { w & 1 || first -> futex_wake_all() }
        may_die();
        bump()
#else
    :: atomic { w & 1 || first ->
#ifdef M_TICK_NO_BUMP
        if
        :: w & 1 -> bump()
        :: else
        fi
#else
        bump()
#endif
        }
        may_die();
        if
#ifdef M_TICK_IF_COUNTED
        :: atomic { bumped -> futex_wake_all() }
        :: !bumped
#else
        :: atomic { bumped || first -> futex_wake_all() }
        :: !bumped && !first
#endif
        fi
#endif
    :: !(w & 1) && !first
    fi;
    atomic { w = 0; bumped = false; first = false }
}

inline may_die()
{
#if DEATHS > 0
    if
    :: d_step { deaths < DEATHS -> deaths++; wake_died = true }
        goto dead
    :: true
    fi
#else
    skip
#endif
}

/* Under the lock: one step. */
inline publish()
{
    atomic {
        if
        :: tick < TICKS + 1 -> tick++
        :: true
        fi;
        version++;
        n++;
#ifdef READER
        first = tick != date[(version - 1) & 1];
#endif
        date[version & 1] = tick;
        if
        :: first -> obliged = version
        :: else
        fi;
#ifdef M_TICK_UNKNOWN
        first = false;
#endif
        mine = version
    }
}

active [PUBLISHERS] proctype publisher()
{
    byte n, w, mine;
    bool bumped, first;

    do
    :: n == PUBLICATIONS -> break
    :: atomic { n < PUBLICATIONS ->
#if defined M_LOAD_BEFORE_PUBLISH
        w = wake }
        publish();
#elif defined M_NO_D2
        skip }
        if
        :: publish(); may_die(); w = wake
        :: w = wake; publish()
        fi;
#else
        publish() }
#ifdef M_COMPARES_LATE
        first = date[mine & 1] != date[(mine - 1) & 1];
#endif
        may_die();
        w = wake;
#endif
        may_die();
        mine = 0;
        wake_sleepers()
    od;
dead:
    skip
}

#ifdef RETIRE
active proctype retire()
{
    byte w;
    bool bumped;

    retired = true;
    w = wake;
#ifdef M_RETIRE_WAKES_REGISTERED
    if
    :: w & 1
    :: else -> goto dead
    fi;
#endif
#ifndef M_RETIRE_NO_BUMP
    bump();
#endif
    futex_wake_all();
dead:
    skip
}

/* A read-only mapping: sleeps without registering. */
active proctype onlooker()
{
    byte i = ONLOOKER, w;

    do
    :: w = wake;
        if
        :: retired -> break
        :: else
        fi;
        atomic { futex_wait() };
        return_from_wait()
    od
}
#endif

#ifdef READER
/* The same for versions. The load of the word comes before the look: D1. */
active proctype onlooker()
{
    byte i = ONLOOKER, seen, now, w;

    do
    :: seen == LAST -> break
    :: seen < LAST ->
#ifdef M_READER_LOOKS_FIRST
        now = version;
        w = wake;
#else
        w = wake;
        now = version;
#endif
        if
        :: atomic { now != seen -> seen = now; now = 0; w = 0 }
        :: atomic { now == seen -> now = 0; futex_wait() }
            return_from_wait()
        fi
    od
}
#endif
