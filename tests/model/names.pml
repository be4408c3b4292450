/* SPDX-License-Identifier: MIT */
/*
 * A name that moves: src/replace.c, src/unlink.c, and what the owner of the lock does when it finds a mark
 * (src/follow.c).
 *
 * Checked, with processes that die at any step:
 *   - Nobody removes or marks a region that is not the one it looked at (assertions at these steps).
 *   - At the end, a region that had the name once, and has not now, has a mark: every process that has it learns
 *     of the move.
 *   - At the end, all sets that were acknowledged are in the region that has the name: unless the name was
 *     removed, or the set was under way, or over, when a replacer that may not lock was killed behind its
 *     exchange (NAME-2 of the guarantees).
 *
 * Roles (by -D, how many of each): WRITERS, with SETS each; LOCKERS, replacers that can lock; OUTSIDERS, that
 * cannot; UNLINKERS; CREATORS, that give a free name a new region; HANDS, that move another file over the name
 * and ask nobody (what had it is then not told, and its sets go with it). DEATHS in all.
 *
 * One atomic is one system call, or one access to shared memory. A value is the set of all sets in it. The lock
 * is one word, free or owned, and an owner that is dead loses it to the next; lock.pml is about that. A second,
 * that is how long an outsider waits, is here as long as the other process lives.
 *
 * Shows: NAME-2, NAME-3.
 */
#ifndef WRITERS
#define WRITERS 1
#endif
#ifndef SETS
#define SETS 1
#endif
#ifndef LOCKERS
#define LOCKERS 0
#endif
#ifndef OUTSIDERS
#define OUTSIDERS 0
#endif
#ifndef UNLINKERS
#define UNLINKERS 0
#endif
#ifndef CREATORS
#define CREATORS 0
#endif
#ifndef HANDS
#define HANDS 0
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef TRIES
#define TRIES 2 /* of a replacer or unlinker that finds the name moved; then it gives up */
#endif

#define MOVERS  (LOCKERS + OUTSIDERS + UNLINKERS)
#define PROCS   (WRITERS + MOVERS + CREATORS + HANDS)
#define REGIONS (1 + (LOCKERS + OUTSIDERS) * TRIES + CREATORS + HANDS)
#define NONE    15

#define REPLACED 1
#define UNLINKED 2
#define LOOK     4
#define OUTSIDE  8

byte name = 0;            /* which region has it */
byte temporary[PROCS] = NONE; /* which region has the temporary name of a process */
byte owner[REGIONS];      /* of the lock: 0, or the process + 1 */
byte marks[REGIONS];
byte value[REGIONS];
byte holder[REGIONS];     /* of OUTSIDE: the process + 1 */
bool named[REGIONS];      /* it had the name once */
byte made = 1;

bool dead[PROCS];
bool passed[PROCS]; /* an outsider: its exchange, and it is not through */
byte deaths, finished;
byte acknowledged, flying, excused; /* sets: each has a bit */
bool taken_away[REGIONS]; /* by hand */

#define leads_nowhere(r) (name != (r) && !has_temporary(r))
#if MOVERS > 2
#define has_temporary(r)                                                                                     \
    (temporary[WRITERS] == (r) || temporary[WRITERS + 1] == (r) || temporary[WRITERS + 2] == (r))
#elif MOVERS > 1
#define has_temporary(r) (temporary[WRITERS] == (r) || temporary[WRITERS + 1] == (r))
#else
#define has_temporary(r) (temporary[WRITERS] == (r))
#endif

#define is_free(r) (owner[r] == 0 || dead[owner[r] - 1])

inline die()
{
    d_step {
        deaths < DEATHS ->
        deaths++;
        dead[me] = true;
        if
        :: passed[me] -> excused = excused | flying | acknowledged
        :: else
        fi
    }
}

/* Before the step that follows. */
#define MAY_DIE                                                                                              \
    if                                                                                                       \
    :: die() -> goto end                                                                                     \
    :: true                                                                                                  \
    fi

inline lock(r)
{
    atomic { is_free(r) -> owner[r] = me + 1 }
}

inline unlock(r)
{
    atomic { assert(owner[r] == me + 1); owner[r] = 0 }
}

/* The work of follow_check_marks, with the lock of r. `refused`: -EIDRM. A set that it lets pass is under way. */
inline check_marks(r, mine)
{
    atomic { m = marks[r]; refused = (m & REPLACED); flying = flying | (mine) };
    if
    :: !refused && (m & (LOOK | OUTSIDE)) ->
        MAY_DIE;
        atomic { seen = name };
        MAY_DIE;
        if
#ifdef M_WRITER_BLIND
        :: atomic { true -> marks[r] = marks[r] & ~LOOK }
#else
        :: atomic { seen == r -> marks[r] = marks[r] & ~LOOK }
        :: atomic { seen == NONE && !(m & LOOK) -> skip }
        :: atomic { seen == NONE && (m & LOOK) && leads_nowhere(r) -> marks[r] = marks[r] | UNLINKED }
            MAY_DIE;
            atomic { marks[r] = marks[r] & ~LOOK }
#ifdef M_MISSING_IS_HERE
        :: atomic { seen == NONE && (m & LOOK) && !leads_nowhere(r) -> marks[r] = marks[r] & ~LOOK }
#else
        :: atomic { seen == NONE && (m & LOOK) && !leads_nowhere(r) -> refused = true }
#endif
        :: atomic { seen != r && seen != NONE -> marks[r] = marks[r] | REPLACED; refused = true }
#endif
        fi;
#ifdef M_CLEARS_OUTSIDE
        atomic { marks[r] = marks[r] & ~OUTSIDE };
#endif
    :: else
    fi;
    atomic { m = 0; seen = 0 }
}

/* ---- writers --------------------------------------------------------------------------------- */

active [WRITERS] proctype writer()
{
    byte me = _pid, r = 0, sets, m, seen;
    bool refused;

    do
    :: sets == SETS -> break
    :: sets < SETS ->
        MAY_DIE;
        lock(r);
        MAY_DIE;
        check_marks(r, 1 << (SETS * me + sets));
        if
        :: refused ->
            MAY_DIE;
            unlock(r);
            atomic { /* reopen */
                refused = false;
                flying = flying & ~(1 << (SETS * me + sets));
                if
                :: name == NONE || name == r -> sets++ /* -EIDRM, and nobody says that it is set */
                :: else -> r = name
                fi
            }
        :: else ->
            atomic { value[r] = value[r] | (1 << (SETS * me + sets)) };
            MAY_DIE;
            unlock(r);
            atomic { acknowledged = acknowledged | (1 << (SETS * me + sets)); sets++ }
        fi
    od;
end:
    atomic { finished++ }
}

/* ---- movers ---------------------------------------------------------------------------------- */

/* Is there a live process that took OUTSIDE of a, and has it still? */
#define is_taken(a) (holder[a] != 0 && !dead[holder[a] - 1])

/* Say that the name of a is about to move, and wait for who was first. `alone`: nobody lives that may be. */
inline announce(a)
{
    if
#ifdef M_NO_LOOK
    :: locked
#else
    :: atomic { locked -> m = marks[a]; marks[a] = m | LOOK }
#endif
#ifndef M_NO_WAIT
        if
        :: atomic { (m & OUTSIDE) -> !(marks[a] & OUTSIDE) || !is_taken(a) }
        :: !(m & OUTSIDE)
        fi
#endif
#ifdef M_NO_LOOK_OUTSIDE
    :: !locked
#elif defined M_NO_WAIT
    :: atomic { !locked -> marks[a] = marks[a] | OUTSIDE; holder[a] = me + 1 }
#else
    :: !locked ->
        do
        :: atomic { holder[a] == me + 1 -> break }
        :: atomic {
            holder[a] != me + 1 ->
            m = marks[a];
            marks[a] = m | OUTSIDE;
            if
            :: !(m & (LOOK | OUTSIDE)) -> holder[a] = me + 1
            :: else
            fi
           }
            if
            :: holder[a] == me + 1
            :: holder[a] != me + 1 ->
                MAY_DIE;
                if
                :: atomic { !(m & OUTSIDE) -> marks[a] = marks[a] & ~OUTSIDE }
                :: (m & OUTSIDE)
                fi;
                if
                :: !(marks[a] & (LOOK | OUTSIDE))
                :: atomic { /* a second has passed: the process that set them is dead */
                    (!(marks[a] & LOOK) || is_free(a)) && !is_taken(a) ->
                    forced = (marks[a] & OUTSIDE);
                    marks[a] = marks[a] | OUTSIDE;
                    holder[a] = me + 1
                   }
                fi
            fi
        od
#endif
    fi;
    m = 0
}

inline announce_end(a)
{
    atomic {
        if
        :: locked -> marks[a] = marks[a] & ~LOOK
        :: !locked && !forced -> marks[a] = marks[a] & ~OUTSIDE; holder[a] = 0
        :: !locked && forced -> holder[a] = 0; forced = false
        fi
    }
}

/* Exchange the names until the temporary one has `wanted`. `moved`: it did not at once. */
inline exchange(a)
{
    atomic { wanted = a; moved = false; came = NONE };
    do
    :: atomic { came == wanted -> break }
    :: atomic { came != wanted && name == NONE -> moved = true; lost = true; break }
    :: atomic {
        came != wanted && name != NONE ->
        put = temporary[me];
        temporary[me] = name;
        name = put;
        named[name] = true;
        passed[me] = !locked
       }
        MAY_DIE;
        atomic {
#ifdef M_NO_LOOK_AT
            came = wanted
#else
            came = temporary[me];
            if
            :: came != wanted && !moved -> moved = true; wanted = put
            :: came != wanted && moved -> wanted = put
            :: else
            fi
#endif
        }
        if
#ifdef M_REMOVE_BLIND
        :: atomic { moved -> wanted = came }
#endif
        :: true
        fi;
        MAY_DIE
    od;
    if
    :: atomic {
        lost && name == NONE && temporary[me] != n -> /* bring back */
        name = temporary[me];
        temporary[me] = NONE
       }
    :: !lost || name != NONE || temporary[me] == n
    fi;
    atomic { wanted = NONE; came = NONE; put = NONE; lost = false }
}

/* Remove what has the temporary name. */
inline discard(allowed)
{
    atomic {
#ifndef M_REMOVE_BLIND
        if
        :: temporary[me] == n || temporary[me] == (allowed)
#endif
            assert(temporary[me] == n || temporary[me] == (allowed) || temporary[me] == NONE);
            temporary[me] = NONE
#ifndef M_REMOVE_BLIND
        :: else /* a stranger's, or nothing */
        fi
#endif
    }
}

/* The name is where `a` was, and has n. */
inline tell_old(a)
{
    atomic {
        assert(temporary[me] == a); /* what it marks is what it took */
        marks[a] = marks[a] | REPLACED
    }
}

/* The publications in the old region since the copy. */
inline carry_rest(a)
{
#ifdef M_NO_CARRY
    skip
#else
#ifndef M_CARRY_EARLY
    atomic { is_free(a) };
#endif
    MAY_DIE;
    atomic { value[n] = value[a] | value[n] };
#endif
}

inline replace(may_lock)
{
    do
    :: atomic { tries == TRIES || name == NONE -> break }
    :: atomic { tries < TRIES && name != NONE -> a = name; tries++; refused = false; locked = false };
        if
        :: may_lock ->
            MAY_DIE;
            atomic { is_free(a) -> owner[a] = me + 1; locked = true };
            MAY_DIE;
            check_marks(a, 0);
            if
            :: atomic { refused -> owner[a] = 0; locked = false }
            :: !refused
            fi
        :: else
        fi;
        MAY_DIE;
        if
        :: atomic {
            name == a ->
            n = made;
            made++;
            value[n] = value[a];
            temporary[me] = n;
            owner[n] = me + 1;
            marks[n] = LOOK
           }
            MAY_DIE;
            announce(a);
            MAY_DIE;
            if
#ifdef M_NO_SECOND_LOOK
            :: true -> exchange(a)
#else
            :: atomic { name != a -> moved = true }
            :: atomic { name == a -> skip }
                MAY_DIE;
                exchange(a)
#endif
            fi;
            if
            :: !moved ->
#ifdef M_UNMARK_EARLY
                announce_end(a);
                MAY_DIE;
#endif
                tell_old(a);
                MAY_DIE;
                atomic { marks[n] = marks[n] & ~LOOK };
                MAY_DIE;
                announce_end(a);
                MAY_DIE;
                if
                :: !locked -> carry_rest(a)
                :: locked
                fi
            :: moved ->
                MAY_DIE;
                if
#ifndef M_NEW_UNMARKED
                :: atomic { name != n -> marks[n] = marks[n] | REPLACED }
#endif
                :: atomic { name == n -> skip }
#ifdef M_NEW_UNMARKED
                :: atomic { name != n -> skip }
#endif
                fi;
                MAY_DIE;
                atomic { marks[n] = marks[n] & ~LOOK };
                MAY_DIE;
                announce_end(a)
            fi;
            passed[me] = false;
            MAY_DIE;
            unlock(n);
            MAY_DIE;
            if
            :: locked -> unlock(a)
            :: !locked
            fi;
            MAY_DIE;
            if
            :: moved -> discard(n)
            :: !moved -> discard(a)
            fi;
            if
            :: atomic { !moved -> tries = TRIES }
            :: moved
            fi
        :: atomic { name != a -> skip }
            if
            :: locked -> unlock(a)
            :: !locked
            fi
        fi
    od
}

#if LOCKERS > 0
active [LOCKERS] proctype locker()
{
    byte me = _pid, a, n = NONE, tries, m, seen, wanted, came, put;
    bool locked, refused, moved, lost, forced;

    replace(true);
end:
    atomic { finished++ }
}
#endif

#if OUTSIDERS > 0
active [OUTSIDERS] proctype outsider()
{
    byte me = _pid, a, n = NONE, tries, m, seen, wanted, came, put;
    bool locked, refused, moved, lost, forced;

    replace(false);
end:
    atomic { finished++ }
}
#endif

#if UNLINKERS > 0
/* By way of a temporary name, where it can be looked at. */
inline remove_outside(a)
{
    if
    :: atomic { name == NONE -> skip }
    :: atomic { name != NONE && name != a -> moved = true }
    :: atomic { name == a -> skip }
        MAY_DIE;
        if
        :: atomic { name == NONE -> skip }
        :: atomic { name != NONE -> temporary[me] = name; name = NONE }
            MAY_DIE;
            if
            :: atomic { temporary[me] == a -> temporary[me] = NONE; removed = true }
            :: atomic { temporary[me] != a && name == NONE -> name = temporary[me]; temporary[me] = NONE; moved = true }
            :: atomic { temporary[me] != a && name != NONE -> moved = true }
            fi
        fi
    fi
}

active [UNLINKERS] proctype unlinker()
{
    byte me = _pid, a, tries, m, seen;
    bool locked, refused, moved, removed, forced;

    do
    :: atomic { tries == TRIES || name == NONE -> break }
    :: atomic { tries < TRIES && name != NONE -> a = name; tries++; locked = false; refused = false; moved = false };
        MAY_DIE;
        if
        :: atomic { is_free(a) -> owner[a] = me + 1; locked = true };
            MAY_DIE;
            check_marks(a, 0);
            if
            :: atomic { refused -> owner[a] = 0; locked = false }
            :: !refused
            fi
        :: true /* its owner keeps it */
        fi;
        MAY_DIE;
        announce(a);
            MAY_DIE;
            if
            :: locked && name != a -> moved = true
            :: locked && name == a ->
                MAY_DIE;
                atomic {
                    if
                    :: name == NONE
                    :: else -> assert(name == a); name = NONE; removed = true
                    fi
                }
            :: !locked -> remove_outside(a)
            fi;
            MAY_DIE;
            if
            :: atomic { removed && leads_nowhere(a) -> marks[a] = marks[a] | UNLINKED }
            :: else
            fi;
        MAY_DIE;
        announce_end(a);
        MAY_DIE;
        if
        :: locked -> unlock(a)
        :: !locked
        fi;
        if
        :: atomic { !moved -> tries = TRIES }
        :: moved
        fi
    od;
end:
    atomic { finished++ }
}
#endif

#if CREATORS > 0
active [CREATORS] proctype creator()
{
    byte me = _pid;

    if
    :: atomic { name == NONE -> name = made; named[made] = true; made++ }
    :: true
    fi;
    atomic { finished++ }
}
#endif

#if HANDS > 0
active [HANDS] proctype hand()
{
    if
    :: atomic { name != NONE -> taken_away[name] = true; name = made; named[made] = true; made++ }
    :: true
    fi;
    atomic { finished++ }
}
#endif

/* ---- the end --------------------------------------------------------------------------------- */

active proctype judge()
{
    byte r;

    named[0] = true;
    finished == PROCS;
    atomic {
        assert(UNLINKERS > 0 || HANDS > 0 || name == NONE ||
               ((acknowledged & ~excused) & ~value[name]) == 0);
        r = 0;
        do
        :: r == REGIONS -> break
        :: r < REGIONS ->
            assert(!named[r] || name == r || marks[r] != 0 || taken_away[r]);
            r++
        od
    }
}
