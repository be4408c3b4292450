/* SPDX-License-Identifier: MIT */
/*
 * The protocol of include/seqshare/protocol.h.
 *
 * Checked: an accepted read is whole, and the value that was published as that version; a reader never
 * goes back to an older version; a read is rejected only when its slot is being filled again; no
 * publication is lost, whatever process dies.
 *
 * Bounds (by -D): SLOTS; WRITERS that make ATTEMPTS each, under a lock that is one step; DEATHS (the
 * writer leaves everything as it is, at any step, and the next one carries on) and ABANDONS (the same,
 * but it lives); READERS that make READS attempts each. A value is a length and two words; all three
 * hold a number that only this attempt has.
 *
 * spin runs everything in one order. A missing fence or a relaxed access is therefore a step done out
 * of turn: the writer's three stores, and the reader's three loads, cross the announcement, the
 * publication, or the loads of the sequence. Edges that depend on who synchronises with whom (W1, the fence
 * of a recovering writer, the hand-over of the lock) cannot be said here; weak.c says it.
 *
 * Shows: READ-1, READ-2.
 */
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef READERS
#define READERS 1
#endif
#ifndef READS
#define READS 2
#endif
#ifndef DEATHS
#define DEATHS 1
#endif
#ifndef ABANDONS
#define ABANDONS 1
#endif

#define MASK (SLOTS - 1)
#define PARTS 3
#define at(version, part) (((version) & MASK) * PARTS + (part))
#define LAST (WRITERS * ATTEMPTS)

#if defined M_FURTHER
#define WINDOW (2 * MASK + 1)
#elif defined M_NEARER
#define WINDOW (2 * MASK - 1)
#else
#define WINDOW (2 * MASK)
#endif

byte sequence; /* shared memory */
byte slot[SLOTS * PARTS];
bool locked;

byte attempts; /* ghosts */
byte published[LAST + 1];
byte publications;
byte deaths, abandons;

inline announce()
{
    if
#ifdef M_ANNOUNCE_AGAIN
    :: true -> sequence = s + 1
#else
    :: s & 1
    :: else -> sequence = s + 1
#endif
    fi
}

inline publish()
{
    d_step {
        sequence = 2 * (v + 1);
        published[v + 1] = mine;
        publications++;
        assert(sequence == 2 * publications)
    }
}

/* May end the attempt in the middle. */
inline may_stop()
{
    if
    :: d_step { deaths < DEATHS -> deaths++; part = 0; locked = false }
        goto stopped
    :: atomic {
        abandons < ABANDONS ->
        abandons++;
#ifdef M_BACK_TO_EVEN
        sequence = sequence & ~1;
#endif
        part = 0;
        locked = false
       }
        goto stopped
    :: true
    fi
}

/* Where in the row of the PARTS stores the two stores of the sequence stand: before all, behind all. */
inline choose_order()
{
    announce_at = 0;
    publish_at = PARTS;
#ifdef M_NO_W2
    if
    :: true
    :: announce_at = 1
    :: announce_at = 2
    fi;
#endif
#ifdef M_W3_RELAXED
    if
    :: true
    :: publish_at = 1
    :: publish_at = 2
    fi;
#endif
}

active [WRITERS] proctype writer()
{
    byte n, s, v, mine, part, announce_at, publish_at;

again:
    do
    :: n == ATTEMPTS -> break
    :: n < ATTEMPTS ->
        n++;
#ifdef M_SEQUENCE_BEFORE_LOCK
        s = sequence;
        atomic { !locked -> locked = true };
#else
        atomic { !locked -> locked = true; s = sequence };
#endif
        d_step { v = s >> 1; attempts++; mine = attempts };
        choose_order();
        do
        :: part == announce_at && part <= PARTS -> announce(); announce_at = PARTS + 1; may_stop()
        :: part == publish_at && announce_at > PARTS -> publish(); publish_at = PARTS + 1; may_stop()
        :: part != announce_at && part != publish_at && part < PARTS ->
#ifdef M_FILL_CURRENT
            slot[at(v, part)] = mine;
#else
            slot[at(v + 1, part)] = mine;
#endif
            part++;
            may_stop()
        :: part == PARTS && announce_at > PARTS && publish_at > PARTS -> break
        od;
        atomic { part = 0; locked = false }
    od;
    goto done;
stopped:
    goto again;
done:
    skip
}

/* The reader's loads of the slot, from part `from` up to `to`. */
inline copy(from, to)
{
    part = from;
    do
    :: atomic { part < (to) -> copied[part] = slot[at(v, part)]; part++ }
    :: atomic { part >= (to) -> break }
    od
}

active [READERS] proctype reader()
{
    byte n, v, s2, part, begin_at, accept_at, seen;
    byte copied[PARTS];

    do
    :: n == READS -> break
    :: n < READS ->
        n++;
        begin_at = 0;
        accept_at = PARTS;
#ifdef M_R1_RELAXED
        /* The processor guesses the slot. */
        if
        :: true
        :: begin_at = 1
        :: begin_at = 2
        fi;
        v = seen + 1;
        copy(0, begin_at);
        if
        :: atomic { begin_at > 0 && sequence >> 1 != v -> v = 0 } /* or is not: the copy is thrown away */
        :: begin_at > 0 && sequence >> 1 == v
        :: begin_at == 0 -> v = sequence >> 1
        fi;
#else
        v = sequence >> 1;
#endif
#ifdef M_NO_R2
        if
        :: true
        :: accept_at = 1
        :: accept_at = 2
        fi;
#endif
        if
        :: v == 0 /* nothing published yet */
        :: else ->
            copy(begin_at, accept_at);
            s2 = sequence;
            copy(accept_at, PARTS);
#ifdef M_BELIEVES_EARLY
            assert(copied[0] == published[v]);
#endif
            atomic {
                if
#ifdef M_NO_ACCEPT
                :: true ->
#else
                :: s2 - 2 * v <= WINDOW ->
#endif
                    assert(v >= seen);
                    seen = v;
                    assert(copied[0] == published[v]);
                    assert(copied[1] == published[v]);
                    assert(copied[2] == published[v])
                :: s2 - 2 * v > WINDOW ->
                    assert(sequence > 2 * (v + MASK))
                fi;
                copied[0] = 0;
                copied[1] = 0;
                copied[2] = 0;
                s2 = 0
            }
        fi;
        v = 0
    od
}
