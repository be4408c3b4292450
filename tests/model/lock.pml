/* SPDX-License-Identifier: MIT */
/*
 * The writer lock of src/lock.c, the words beside it, and identity's `changing`.
 *
 * Checked: two living threads never own the lock; a thread that gets it after an owner's death learns that (1),
 * nobody else is; no set is lost; nobody sleeps for ever (an invalid end state), and a time-out of
 * FUTEX_WAIT is needed only where a death took the wake-up along; no endless loop without progress (run
 * with -DNP).
 *
 * Thread 0 may be special:
 *   HANDLER  A signal handler runs at any step of it: sets, unlocks, locks and keeps the lock, locks and
 *            unlocks, tries to, or abandons where thread 0 is in no write; then maybe a second time. It never
 *            writes into the middle of its own thread's write, nor before that thread knows that it owns;
 *            -EBUSY only comes in the middle of a call, and never to that call itself; a lock that was got
 *            is owned, unless the handler unlocked.
 *   JUMPS    The handler may jump out of the call; thread 0 abandons, unlocks, and owns nothing then.
 *   EXECS    It executes another program, at any step: what was held is held, a write is over. The new
 *            program attaches the region, or not, and then writes.
 *
 * Bounds (all by -D): CONTENDERS threads, each taking the lock ROUNDS times; DEATHS of them killed at
 * any step, REBIRTHS of the dead replaced by a process with the same TID (a contender or a stranger)
 * and another start time; SPURIOUS returns of FUTEX_WAIT for no reason; GIVE_UPS calls that run out of
 * time (seqshare_lock_for). START_0: start times are not known (and then nobody is reborn, because it would be
 * taken for the dead: see README.md).
 *
 * Mutants: every -DM_... below is one fault. tests/mutants lists them.
 *
 * Shows: WRITE-1, WRITE-4, WRITE-5, WRITE-7.
 */
#ifndef CONTENDERS
#define CONTENDERS 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#ifndef DEATHS
#define DEATHS 0
#endif
#ifndef REBIRTHS
#define REBIRTHS 0
#endif
#ifndef SPURIOUS
#define SPURIOUS 0
#endif
#ifndef GIVE_UPS
#define GIVE_UPS 0
#endif
#ifndef EXECS
#define EXECS 0
#endif
#ifndef HANDLERS
#define HANDLERS 1 /* how often the handler runs */
#endif
#if defined HANDLER || EXECS > 0
#define SPECIAL
#endif
#if defined SPECIAL || defined M_BIT_FIRST || defined M_TAKE_OVER_FREES || defined M_TAKE_OVER_UNJUDGED
#define STEPWISE /* something may come between the steps of taking */
#endif

/* The owner word: waiters bit, writing bit, 3 bits of TID, start time. The futex compares all but the latter. */
#define WAITERS 1
#define B 2
#define HALF 31
#define tid_of(w) (((w) >> 2) & 7)
#define start_of(w) ((w) >> 5)
#define id_of(w) ((w) & ~(WAITERS | B))
#if defined M_NO_START || defined START_0
#define make_id(t) (((t) + 1) << 2)
#define same_start(w) true
#else
#define make_id(t) ((start[t] << 5) | (((t) + 1) << 2))
#define same_start(w) (start[tid_of(w) - 1] == start_of(w))
#endif

/* With the bit first, there is an instant at which the word names nobody. */
#ifdef M_BIT_FIRST
#define NOBODY (7 << 2)
#define known(w) (tid_of(w) != tid_of(NOBODY))
#else
#define known(w) true
#endif

/* The steps of a thread, one after the other: digits of its plan, to the base of 8. */
#define SET 1
#define LOCK 2
#define TRY 3
#define UNLOCK 4
#define ABANDON 5
#define ATTACH 6
#define then(first, next) ((first) + 8 * (next))

/* The state word: an id, and these. */
#define BUSY 256
#define HELD 512
#ifdef SPECIAL
#define image_is_ours (image == images[t])
#else
#define image_is_ours true
#endif
#ifdef M_STATE_WITHOUT_ID
#define make_state(flags) (flags)
#else
#define make_state(flags) (me | (flags))
#endif

byte word;   /* shared memory */
short state;
byte image;
byte value;

byte images[CONTENDERS] = 1; /* which program each executes; a fork does not change it */
byte changing;               /* thread 0's own, as the two below */
bool noted;                  /* its handle says that it holds the lock */

byte start[CONTENDERS] = 1; /* the kernel: who runs under each TID */
bool exists[CONTENDERS] = true;
bool running[CONTENDERS] = true;
bool asleep[CONTENDERS + 1]; /* in the futex's queue; the last one is the signal handler */

bool killed[CONTENDERS]; /* ghosts: the specification, read by no thread */
bool finished[CONTENDERS];
bool owns[CONTENDERS];
byte owners;                 /* how many living threads own the lock */
bool orphaned;               /* an owner died, and nobody has been told */
bool owes[CONTENDERS + 1];   /* it has used up a wake-up, and has to see that the next sleeper gets one */
bool wake_died;              /* one that owed has been killed: now somebody must time out */
byte sets;
byte births;
byte spurious;
byte give_ups;
bool interrupted;            /* thread 0 is in its signal handler */
bool ready[CONTENDERS];      /* the owner has returned from lock() */
byte filling;                /* the thread that is writing, + 1 */
bool in_call;                /* thread 0 is in a call of the library, or between fill and publish */
bool in_write;               /* and that is not a lock or unlock */
bool unlocked;               /* its handler unlocked */
bool spoiled;                /* a handler called abandon in lock or unlock, and none may do more there */
bool jumped;
bool executed;
bool new_program;            /* and has been told */
bool left;                   /* the old one was in the middle: not held, and nobody has set it right */

#define a_death_excuses_it ((word != 0 && owners == 0) || wake_died)

/* Every atomic or d_step is one access to shared memory, with the private steps around it. */
inline compare_and_swap(old, new)
{
    d_step {
        swapped = (word == (old));
        if
        :: swapped -> word = (new)
        :: else
        fi
    }
}

/* A compare-and-swap that takes the lock, and the specification of taking it. */
inline swap(from, to)
{
    got = (word == (from));
    if
    :: got ->
        word = (to);
        assert(owners == 0);
        assert(orphaned == told);
        assert(!left);
        owners++;
        owns[t] = true;
        owes[i] = false;
        orphaned = false
    :: else
    fi
}

#ifdef SPECIAL
inline begin_change()
{
    if
    :: d_step { t == 0 -> before = changing; changing = before + 1 }
    :: t != 0
    fi
}

inline end_change()
{
    if
    :: t == 0 -> changing = before
    :: t != 0
    fi
}

inline note_image()
{
    image = images[t]
}
#else /* nobody looks at it */
inline begin_change()
{
    skip
}

inline end_change()
{
    skip
}

inline note_image()
{
    skip
}
#endif

#ifdef M_TAKE_OVER_DROPS_W
#define wanted want
#else
#define wanted (want | (w & WAITERS))
#endif

/* From w, which is 0 or a dead owner's word; for lock (flags: HELD) or for one write (B). */
inline take()
{
    told = (w != 0);
#ifdef M_TAKE_OVER_UNJUDGED
    w = (w != 0 -> word : 0);
#endif
#ifdef M_TAKE_OVER_FREES
    if
    :: w != 0 -> compare_and_swap(w, 0); w = (swapped -> 0 : w)
    :: w == 0
    fi;
#endif
#if !defined M_NO_COUNT && !defined M_COUNT_LATE
    begin_change();
#endif
#ifdef M_BIT_FIRST
    compare_and_swap(w, NOBODY);
    if
    :: swapped ->
        d_step {
            swap(NOBODY, want);
            if
            :: got
            :: else -> swap(NOBODY | WAITERS, want | WAITERS)
            fi
        }
    :: !swapped
    fi;
#else
#if defined M_TAKE_OVER_PLAIN
    d_step { before = w; if :: w != 0 -> before = word :: else fi; swap(before, wanted) };
#elif defined M_TAKE_OVER_HALF
    d_step { before = w; if :: w != 0 && (word & HALF) == (w & HALF) -> before = word :: else fi; swap(before, wanted) };
#else
    d_step { swap(w, wanted) };
#endif
#endif
#ifdef M_COUNT_LATE
    begin_change();
#endif
    if
    :: got ->
        note_image();
        if
        :: atomic { flags == HELD -> noted = noted || t == 0; state = make_state(HELD); ready[t] = true }
        :: atomic { flags == B -> ready[t] = true; if :: told -> state = 0 :: !told fi }
        fi
    :: !got
    fi;
#ifndef M_NO_COUNT
    end_change()
#endif
}

#define looks_dead(w) (exists[tid_of(w) - 1] && !(running[tid_of(w) - 1] && same_start(w)))

/* kill(TID, 0), then /proc/TID/stat: two looks at a world that moves between them. */
inline judge()
{
#ifdef M_ASK_ONCE
    atomic { dead = !asked && !exists[tid_of(w) - 1] };
    if
    :: atomic { !dead -> dead = !asked && looks_dead(w) }
    :: dead
    fi;
    asked = true
#else
    atomic { dead = known(w) && !exists[tid_of(w) - 1] };
    if
    :: atomic { !dead && known(w) -> dead = looks_dead(w) }
    :: dead || !known(w)
    fi
#endif
}

/* The clock passes the deadline whenever it likes. */
inline out_of_time()
{
    if
    :: late -> gone = true
    :: !late && (want & WAITERS) && give_ups < GIVE_UPS -> give_ups++; late = true; gone = true
    :: !late
    fi
}

/* The kernel's half: compare and queue. */
inline futex_wait()
{
    if
#ifdef M_WAIT_BLINDLY
    :: true ->
#else
    :: (word & HALF) == (w & HALF) ->
#endif
        asleep[i] = true;
        owes[i] = owes[i] && !(word & WAITERS)
    :: else
    fi
}

inline return_from_wait()
{
    if
    :: !asleep[i]
    :: d_step { asleep[i] && spurious < SPURIOUS -> spurious++; asleep[i] = false }
    :: d_step { asleep[i] && give_ups < GIVE_UPS -> give_ups++; asleep[i] = false; late = true }
    :: atomic {
        timeout && asleep[i] && a_death_excuses_it ->
        asleep[i] = false;
        owes[i] = owes[i] || wake_died;
        wake_died = false
       }
    fi
}

inline wake(who)
{
    asleep[who] = false;
    owes[who] = true
}

inline futex_wake_one()
{
    if
    :: asleep[0] -> wake(0)
    :: asleep[1] -> wake(1)
#if CONTENDERS > 2
    :: asleep[2] -> wake(2)
#endif
#ifdef HANDLER
    :: asleep[CONTENDERS] -> wake(CONTENDERS)
#endif
    :: else
    fi;
    owes[i] = false
}

inline wait_for_it()
{
    do
#ifdef M_W_PLAIN
    :: atomic { !(w & WAITERS) -> w = w | WAITERS; word = w }
#else
    :: atomic {
        !(w & WAITERS) ->
        compare_and_swap(w, w | WAITERS);
        if
        :: swapped -> w = w | WAITERS
        :: else -> break /* the word moved: look again */
        fi
       }
#endif
    :: atomic {
        w & WAITERS ->
#ifndef M_WINNER_FORGETS_W
        want = want | WAITERS;
#endif
#ifndef M_GIVE_UP_EARLY
        /* Only here, with WAITERS in the word: its owner passes on the wake-up that this one used. */
        out_of_time();
#endif
        if
        :: gone -> owes[i] = false
        :: else -> futex_wait()
        fi
       }
        return_from_wait();
        break
    od
}

/* ---- a word that is this thread's ---- */

#define is_changing (t == 0 && changing > 0)

#define NOT_OWN 0
#define HELD_OWN 1
#define BUSY_OWN 2
#define LEFT_OWN 3

#ifdef M_NO_IMAGE
#define here false
#else
#define here (image == images[t])
#endif
#ifdef M_OWN_IS_BUSY
#define may_be_left false
#else
#define may_be_left (!is_changing && !here)
#endif
#define nested_state (!(word & B) && state == make_state(HELD | BUSY))

/* Signals are blocked: no handler comes in between, and to others the word is a live owner's. */
inline judge_own()
{
    if
#ifdef M_TWO_LOOKS /* the word as it was seen before */
    :: id_of(w) == me && !(w & B) && state != make_state(HELD) -> own = BUSY_OWN
    :: id_of(w) != me && id_of(word) != me -> own = NOT_OWN
#else
    :: id_of(word) != me -> own = NOT_OWN
#endif
#ifdef M_NESTED_IS_LEFT
    :: id_of(word) == me && nested_state && may_be_left -> own = LEFT_OWN
#endif
    :: else ->
        if
#ifdef M_HELD_IS_LEFT
        :: !(word & B) && state == make_state(HELD) && !may_be_left -> own = HELD_OWN
#else
        :: !(word & B) && state == make_state(HELD) -> own = HELD_OWN
#endif
        :: else ->
            if
            :: nested_state && may_be_left -> own = HELD_OWN
            :: else ->
                if
                :: is_changing || (here && ((word & B) || nested_state)) -> own = BUSY_OWN
                :: else -> own = (may_be_left -> LEFT_OWN : HELD_OWN)
                fi
            fi
        fi
    fi
}

/* to: what the word becomes that was left behind; 0: free. */
inline settle(to)
{
    atomic {
        judge_own();
        if
        :: own == HELD_OWN -> image = images[t]; state = make_state(HELD)
        :: own == LEFT_OWN && (to) != 0 ->
            assert(left && owners == 0);
            left = false;
            word = (to) | (word & WAITERS);
            owners++;
            owns[t] = true;
            owes[i] = false;
            image = images[t];
            state = (flags == HELD -> make_state(HELD) : 0);
            noted = noted || flags == HELD;
            ready[t] = true;
            got = true
        :: own == LEFT_OWN && (to) == 0 ->
            assert(left && owners == 0);
            left = false;
            state = 0;
            owes[i] = word & WAITERS;
            w = word & WAITERS;
            word = 0
        :: else
        fi
    };
    if
    :: atomic { own == LEFT_OWN && (to) == 0 && w != 0 -> futex_wake_one() }
    :: !(own == LEFT_OWN && (to) == 0 && w != 0)
    fi
}

/*
 * flags: HELD, or B for one write. Returns with `got`, or not: `deadlock`, `busy`, or out of time, `gone` (which TRY
 * always is).
 */
#define through (got || gone || deadlock || busy)

inline lock()
{
    atomic {
        want = me | (flags & B);
        w = 0;
#ifndef STEPWISE
        take()
#endif
    };
#ifdef STEPWISE
    take();
#endif
    do
    :: atomic { through -> break }
    :: atomic {
        !through ->
#ifdef M_GIVE_UP_EARLY
        out_of_time();
#endif
        w = word
       }
        if
        :: gone
#ifdef STEPWISE
        :: !gone && w == 0 -> take()
#else
        :: atomic { !gone && w == 0 -> take() }
#endif
#ifdef SPECIAL
        :: !gone && w != 0 && id_of(w) == me ->
            settle(want);
            atomic { deadlock = own == HELD_OWN; busy = own == BUSY_OWN; own = 0 }
#else
        :: atomic { !gone && w != 0 && id_of(w) == me -> assert(false) } /* -EDEADLK, for one that does not own it */
#endif
        :: !gone && w != 0 && id_of(w) != me ->
            judge();
            if
#ifdef STEPWISE
            :: dead -> take()
#else
            :: atomic { dead -> take() }
#endif
            :: !dead && op == TRY -> gone = true
            :: !dead && op != TRY -> wait_for_it()
            fi
        fi
    od;
progress:
    atomic {
        w = 0; want = 0; late = false; asked = false; swapped = false; before = 0; flags = 0; told = false;
        dead = false
    }
}

/* Of one that owns the lock, unless (not in a write) a handler has seen to it. */
inline free_word()
{
#ifdef M_WAKE_FIRST
    if
    :: atomic { word & WAITERS -> futex_wake_one() }
    :: else
    fi;
#endif
    do
    :: atomic { swapped -> break }
    :: atomic { !swapped -> w = word; assert(id_of(w) == me) }
        d_step {
#ifdef M_UNLOCK_PLAIN
            swapped = true;
#else
            swapped = (word == w);
#endif
            if
            :: swapped ->
                word = 0;
                owners--;
                owns[t] = false;
                ready[t] = false;
                owes[i] = w & WAITERS
            :: else
            fi
        }
    od
}

inline wake_next()
{
#ifndef M_WAKE_FIRST
    if
    :: atomic { w & WAITERS -> futex_wake_one() }
    :: !(w & WAITERS)
    fi;
#endif
    atomic { w = 0; swapped = false }
}

/* Read a number, write one more. */
inline write()
{
    d_step { assert(filling == 0 && owns[t]); filling = t + 1; seen = value };
    d_step { value = seen + 1; sets++; filling = 0; assert(value == sets); seen = 0 }
}

/* From HELD to another state, if it is HELD: a signal handler may have given the lock back. */
inline leave_held(to, stays_ready)
{
#ifdef M_STATE_PLAIN
    changed = (state == make_state(HELD));
    if
    :: atomic { changed -> state = (to); ready[t] = stays_ready }
    :: !changed
    fi
#else
    d_step {
#ifdef M_NESTS_IN_BUSY
        changed = ((state & ~BUSY) == make_state(HELD));
#else
        changed = (state == make_state(HELD));
#endif
        if
        :: changed -> state = (to); ready[t] = stays_ready
        :: else
        fi
    }
#endif
}

/* Take the lock, for as long as its user likes; or for a write, which may be under this thread's own lock. */
inline begin()
{
    do
    :: atomic { through && !(op == SET && deadlock) -> break }
    :: atomic { !through || (op == SET && deadlock) -> deadlock = false; w = word }
        if
        :: op == SET && (w & ~WAITERS) == me && image_is_ours -> leave_held(make_state(HELD | BUSY), true)
        :: else
        fi;
        if
        :: atomic { changed -> got = true; w = 0 }
        :: !changed -> atomic { flags = (op == SET -> B : HELD) }; lock()
        fi
    od;
    changed = false
}

/* A write's end. frees: the lock must be given back. changed: there was a write. */
inline end_write()
{
    if
    :: atomic { id_of(word) == me && (word & B) -> ready[t] = false; frees = true; changed = true }
    :: atomic { id_of(word) == me && nested_state -> state = make_state(HELD); changed = true }
    :: atomic {
        id_of(word) == me && !(word & B) && !nested_state ->
#ifdef M_ABANDON_FREES
        frees = true;
        state = 0;
        changed = true
#else
        note_image();
        state = make_state(HELD)
#endif
       }
    :: id_of(word) != me
    fi
}

/* Leave what lock took, unless a signal handler of this thread has given it back: -EPERM. frees: give it back. */
inline end_lock()
{
    do
    :: atomic { changed -> break }
    :: atomic { !changed -> w = word }
        if
        :: atomic { id_of(w) != me -> w = 0; break }
        :: id_of(w) == me
        fi;
#if !defined M_NO_COUNT && !defined M_UNLOCK_NOT_COUNTED
        begin_change();
#endif
        if
        :: (w & ~WAITERS) == me ->
#ifdef M_STATE_STAYS
            leave_held(make_state(HELD), false)
#else
            leave_held(0, false)
#endif
        :: else
        fi;
        if
        :: changed
        :: !changed ->
#ifdef SPECIAL
#if !defined M_NO_COUNT && !defined M_UNLOCK_NOT_COUNTED
            end_change();
#endif
            settle(0);
            if
            :: atomic { own == BUSY_OWN || own == LEFT_OWN -> busy = own == BUSY_OWN; own = 0; w = 0; break }
            :: else
            fi
#else
            assert(false)
#endif
        fi
    od;
    frees = changed
}

/* The note on the handle, before the word is free; and the end of what end_lock began. */
inline strike_off()
{
    if
    :: op == UNLOCK -> noted = noted && t != 0
    :: op != UNLOCK
    fi
}

inline do_it()
{
    atomic { got = false; gone = false; deadlock = false; busy = false; changed = false; frees = false };
    if
    :: op == SET || op == LOCK || op == TRY -> begin()
    :: else
    fi;
    if
    :: op == SET && got -> write()
    :: else
    fi;
    if
    :: op == ABANDON || (op == SET && got) -> end_write()
#ifdef SPECIAL
    :: op == ATTACH && id_of(word) == me -> atomic { changing = 0; flags = B }; settle(0); flags = 0
#endif
    :: op == UNLOCK -> end_lock()
    :: else
    fi;
    if
    :: frees ->
#ifndef M_NOTE_AFTER_FREE
        strike_off();
#endif
        free_word();
#ifdef M_STATE_AFTER_FREE
        state = (op == UNLOCK -> 0 : state);
#endif
#ifdef M_NOTE_AFTER_FREE
        strike_off();
#endif
#if !defined M_NO_COUNT && !defined M_UNLOCK_NOT_COUNTED
        if
        :: op == UNLOCK -> end_change()
        :: op != UNLOCK
        fi;
#endif
        wake_next()
    :: !frees
    fi;
    atomic { own = 0; before = 0 }
}

/* Another program has the number that is in the word, and nothing else of the one that took it. */
inline follow(v)
{
    if
    :: !(word & B) && (state == (id_of(word) | HELD) || state == (id_of(word) | HELD | BUSY)) ->
        owns[v] = true;
        owners++
    :: else -> left = true
    fi
}

/* The dead one is reaped, and its TID given to another process. */
inline birth()
{
    births++;
    start[t] = start[t] + 1;
    exists[t] = true;
    running[t] = true;
    killed[t] = false;
    round = 0;
    plan = 0
}

/* The code is left, for good: nothing private stays. */
inline forget()
{
    d_step {
        w = 0; want = 0; seen = 0; before = 0; own = 0; op = 0; flags = 0; swapped = false; dead = false;
        got = false; gone = false; late = false; asked = false; changed = false; frees = false; told = false;
        deadlock = false; busy = false;
        asleep[t] = false;
        wake_died = wake_died || owes[t];
        owes[t] = false;
#ifdef HANDLER
        if
        :: t == 0 ->
            asleep[CONTENDERS] = false;
            wake_died = wake_died || owes[CONTENDERS];
            owes[CONTENDERS] = false
        :: else
        fi;
#endif
        if
        :: filling == t + 1 -> filling = 0
        :: else
        fi;
        if
        :: t == 0 -> interrupted = false; in_call = false; in_write = false; spoiled = false
        :: else
        fi
    }
}

inline take_next()
{
    d_step {
        op = plan % 8;
        plan = plan / 8;
        in_call = in_call || t == 0;
        in_write = in_write || (t == 0 && op == SET)
    }
}

/* The allowed results of a call. Only a handler's calls may be refused, and those only in the middle of another. */
inline check_result()
{
    assert(!busy && (op != SET || got));
    assert(op != LOCK || !got || owns[t] || unlocked);
    d_step {
        if
        :: op == LOCK && gone -> plan = 0
        :: else
        fi;
        in_call = in_call && t != 0;
        in_write = in_write && t != 0;
        spoiled = spoiled && t != 0;
        op = 0; got = false; gone = false; deadlock = false; changed = false; frees = false
    }
}

#ifdef SPECIAL
inline choose()
{
    if
    :: plan = SET
    :: plan = then(LOCK, then(SET, UNLOCK))
    fi
}
#else
/* One that nobody interrupts: `settle` and what goes before it have nothing to say. */
inline lock_and_write()
{
    flags = HELD;
    lock();
    if
    :: got ->
        write();
        d_step { assert(state == make_state(HELD)); state = 0; ready[t] = false; got = false };
        free_word();
        wake_next()
    :: !got -> gone = false
    fi
}
#endif

#define has_own (id_of(word) == me) /* what a handler has locked, or a program before this */

#ifdef SPECIAL
active [CONTENDERS] proctype contender() provided (!(_pid == 0 && interrupted))
#else
active [CONTENDERS] proctype contender()
#endif
{
    byte w, want, me, seen, round, before, own, op;
    short flags, plan;
    bool swapped, dead, got, gone, late, asked, changed, frees, told, deadlock, busy, tidies_up;
    byte i = _pid, t = _pid;

born:
    {
        me = make_id(t);
#ifdef SPECIAL
        do
        :: plan != 0 -> take_next(); do_it(); check_result()
        :: atomic { plan == 0 && tidies_up -> tidies_up = false; assert(!owns[0] && id_of(word) != me) }
        :: atomic { plan == 0 && !tidies_up && round < ROUNDS -> round++; choose() }
        :: atomic { plan == 0 && !tidies_up && round == ROUNDS && has_own -> assert(noted); plan = UNLOCK }
        :: atomic {
            plan == 0 && !tidies_up && round == ROUNDS && !has_own ->
            assert(t != 0 || !noted);
            finished[t] = true;
            break
           }
        od
#else
        do
        :: atomic { round < ROUNDS -> round++ } lock_and_write()
        :: atomic { round == ROUNDS -> finished[t] = true; break }
        od
#endif
    } unless {
        killed[t] || (t == 0 && (executed || jumped) && !interrupted) ->
        if
        :: t == 0 && !killed[0] && executed ->
            forget();
            d_step {
                executed = false;
                jumped = false;
                tidies_up = false;
                new_program = true;
                images[0] = images[0] + 1;
                changing = 0;
                noted = owns[0];
                unlocked = true;
                round = ROUNDS
            };
            if
            :: plan = then(SET, UNLOCK) /* through a handle that another thread opened */
            :: plan = then(ATTACH, then(SET, UNLOCK))
            fi;
            goto born
        :: t == 0 && !killed[0] && !executed && jumped ->
            forget();
            d_step { jumped = false; tidies_up = true; plan = then(ABANDON, UNLOCK) };
            goto born
        :: killed[t] ->
            forget();
            if
            :: true /* nobody waits for it: a zombie */
            :: exists[t] = false
            :: d_step { births < REBIRTHS -> birth() }
                if
                :: goto born
                :: finished[t] = true /* a stranger that lives on and on */
                fi
            fi
        fi
    }
}

#ifdef HANDLER
/* At any step of thread 0: a handler on its stack. */
active proctype handler()
{
    byte w, want, me, seen, before, own, op;
    short flags, plan;
    bool swapped, dead, got, gone, late, asked, changed, frees, told, deadlock, busy;
    byte i = CONTENDERS, t = 0, runs;

    {
        do
        :: atomic {
            plan == 0 && runs < HANDLERS && !spoiled && !finished[0] && !killed[0] && !executed && !jumped ->
            interrupted = true;
            runs++;
            asleep[0] = false; /* EINTR */
            me = make_id(0);
            if
            :: plan = SET
            :: plan = UNLOCK
            :: plan = LOCK
            :: plan = then(TRY, UNLOCK)
            :: !in_write -> plan = ABANDON
            :: !in_write -> plan = then(ABANDON, SET)
            fi
           }
        :: plan != 0 ->
            atomic { op = plan % 8; plan = plan / 8 };
            do_it();
            d_step {
                assert(!busy || in_call);
                assert(op != ABANDON || !changed);
                unlocked = unlocked || (op == UNLOCK && changed);
                spoiled = spoiled || (op == ABANDON && in_call);
                if
                :: op == TRY && !got -> plan = 0
                :: else
                fi;
                op = 0; got = false; gone = false; deadlock = false; busy = false; changed = false; frees = false
            };
            if
            :: plan != 0
            :: atomic {
                plan == 0 ->
#ifdef JUMPS
                if
                :: in_call -> jumped = true; unlocked = true
                :: true
                fi;
#endif
                interrupted = false
               }
            fi
        :: atomic { plan == 0 -> break }
        od
    } unless { killed[0] || executed || new_program }
}
#endif

#if EXECS > 0
/* Another thread calls exec, or the handler does. */
active proctype executor()
{
    byte execs;

    do
    :: d_step {
        execs < EXECS && running[0] && !finished[0] && !killed[0] && !executed ->
        execs++;
        executed = true;
        interrupted = false;
        ready[0] = false;
        if
        :: owns[0] -> owns[0] = false; owners--; follow(0)
        :: else
        fi
       }
    :: break
    od
}
#endif

inline strike(v)
{
    d_step {
        deaths < DEATHS && running[v] && !finished[v] ->
        deaths++;
        killed[v] = true;
        running[v] = false;
        asleep[v] = false;
        ready[v] = false;
        if
        :: owns[v] -> owns[v] = false; owners--; orphaned = true
        :: left && tid_of(word) == v + 1 -> left = false; orphaned = true /* what it left is a dead owner's now */
        :: else
        fi;
        if
        :: filling == v + 1 -> filling = 0
        :: else
        fi;
        wake_died = wake_died || owes[v];
        owes[v] = false;
#ifdef HANDLER
        if
        :: v == 0 ->
            interrupted = false;
            in_call = false;
            in_write = false;
            asleep[CONTENDERS] = false;
            wake_died = wake_died || owes[CONTENDERS];
            owes[CONTENDERS] = false
        :: else
        fi
#endif
    }
}

/* SIGKILL, at any step, or never. */
active proctype killer()
{
    byte deaths;

    do
    :: strike(0)
    :: strike(1)
#if CONTENDERS > 2
    :: strike(2)
#endif
    :: break
    od
}
