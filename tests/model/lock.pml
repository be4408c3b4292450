/* SPDX-License-Identifier: MIT */
/*
 * The writer lock of src/lock.c, and the state word beside it.
 *
 * Checked: two living threads never own the lock; who gets it after an owner's death is told so (1),
 * nobody else is; no set is lost; nobody sleeps for ever (an invalid end state), and a time-out of
 * FUTEX_WAIT is needed only where a death took the wake-up along; no endless loop without progress (run
 * with -DNP). With HANDLER also: a signal handler never writes into the middle of its own thread's
 * write, nor before that thread knows that it owns.
 *
 * Bounds (all by -D): CONTENDERS threads, each taking the lock ROUNDS times; DEATHS of them killed at
 * any step, REBIRTHS of the dead replaced by a process with the same TID (a contender or a stranger)
 * and another start time; SPURIOUS returns of FUTEX_WAIT for no reason; GIVE_UPS calls that run out of
 * time (seqshare_lock_for).
 *
 * Mutants: every -DM_... below is one fault. run.sh lists them.
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

/* The owner word: waiters bit, 3 bits of TID, start time. The futex compares the half without the latter. */
#define W 1
#define HALF 15
#define tid_of(w) (((w) >> 1) & 7)
#define start_of(w) ((w) >> 4)
#define id_of(w) ((w) & ~W)
#ifdef M_NO_START
#define make_id(t) (((t) + 1) << 1)
#define same_start(w) true
#else
#define make_id(t) ((start[t] << 4) | (((t) + 1) << 1))
#define same_start(w) (start[tid_of(w) - 1] == start_of(w))
#endif

/* With the bit first, there is an instant at which the word names nobody. */
#ifdef M_BIT_FIRST
#define NOBODY (7 << 1)
#define known(w) (tid_of(w) != tid_of(NOBODY))
#else
#define known(w) true
#endif

/* The state word: an id, and these. */
#define BUSY 256
#define HELD 512
#ifdef M_STATE_WITHOUT_ID
#define make_state(flags) (flags)
#else
#define make_state(flags) (me | (flags))
#endif

byte word;   /* shared memory */
short state;
byte value;

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
byte filling;                /* who is writing, + 1 */

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
inline take(old, new, told)
{
    d_step {
        got = (word == (old));
        if
        :: got ->
            word = (new);
            assert(owners == 0);
            assert(orphaned == (told));
            owners++;
            owns[t] = true;
            owes[i] = false;
            orphaned = false
        :: else
        fi
    }
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

inline take_over()
{
#if defined M_TAKE_OVER_PLAIN
    d_step { old = word; take(old, want | (w & W), true) }
#elif defined M_TAKE_OVER_UNJUDGED
    w = word;
    take(w, want | (w & W), true)
#elif defined M_TAKE_OVER_HALF
    d_step {
        old = w;
        if
        :: (word & HALF) == (w & HALF) -> old = word
        :: else
        fi;
        take(old, want | (w & W), true)
    }
#elif defined M_TAKE_OVER_DROPS_W
    take(w, want, true)
#elif defined M_TAKE_OVER_FREES
    compare_and_swap(w, 0);
    if
    :: swapped -> take(0, want | (w & W), true)
    :: else
    fi
#else
    take(w, want | (w & W), true)
#endif
}

/* The clock passes the deadline whenever it likes. */
inline out_of_time()
{
    if
    :: late -> gone = true
    :: !late && want != me && give_ups < GIVE_UPS -> give_ups++; late = true; gone = true
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
        owes[i] = owes[i] && !(word & W)
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
    :: atomic { !(w & W) -> w = w | W; word = w }
#else
    :: atomic {
        !(w & W) ->
        compare_and_swap(w, w | W);
        if
        :: swapped -> w = w | W
        :: else -> break /* the word moved: look again */
        fi
       }
#endif
    :: atomic {
        w & W ->
#ifndef M_WINNER_FORGETS_W
        want = me | W;
#endif
#ifndef M_GIVE_UP_EARLY
        /* Only here, with W in the word: its owner passes on the wake-up that this one used. */
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

/* want: what a winner stores. flags: HELD, or BUSY for one write. Returns with `got`, or not: out of time. */
inline lock(flags)
{
#ifdef M_BIT_FIRST
    atomic { want = me; compare_and_swap(0, NOBODY) };
    if
    :: swapped ->
        d_step {
            take(NOBODY, me, false);
            if
            :: got
            :: else -> take(NOBODY | W, me | W, false)
            fi
        }
    :: !swapped
    fi;
#else
    atomic { want = me; take(0, me, false) };
#endif
    do
    :: atomic { got || gone -> break }
    :: atomic {
        !got && !gone ->
#ifdef M_GIVE_UP_EARLY
        out_of_time();
#endif
        w = word
       }
        if
        :: gone
        :: atomic { !gone && w == 0 -> take(0, want, false) }
        :: !gone && w != 0 ->
            assert(id_of(w) != me); /* -EDEADLK, for one that does not own it */
            judge();
            if
#if defined M_TAKE_OVER_FREES || defined M_TAKE_OVER_UNJUDGED
            :: dead -> take_over()
#else
            :: atomic { dead -> take_over() }
#endif
            :: !dead -> wait_for_it()
            fi
        fi
    od;
    atomic {
        w = 0;
        old = 0;
        want = 0;
        dead = false;
        late = false;
        gone = false;
        asked = false;
        swapped = false
    };
    if
    :: atomic {
        got ->
progress:
        state = make_state(flags);
        ready[t] = true
       }
    :: !got
    fi
}

inline free()
{
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
            owes[i] = w & W
        :: else
        fi
    }
}

/* Of one that owns the lock, whose state is no more HELD. */
inline give_back()
{
#ifdef M_WAKE_FIRST
    if
    :: atomic { word & W -> futex_wake_one() }
    :: else
    fi;
#endif
    do
    :: atomic { swapped -> break }
    :: atomic { !swapped -> w = word; assert(id_of(w) == me) /* -EPERM, for one that owns it */ }
        free()
    od;
#ifdef M_STATE_AFTER_FREE
    state = 0;
#endif
#ifndef M_WAKE_FIRST
    if
    :: atomic { w & W -> futex_wake_one() }
    :: !(w & W)
    fi;
#endif
    atomic { w = 0; got = false; swapped = false }
}

inline clear_state()
{
    d_step {
        ready[t] = false;
#ifndef M_STATE_AFTER_FREE
        state = 0
#endif
    }
}

/* Read a number, write one more. */
inline write()
{
    d_step { assert(filling == 0); filling = t + 1; seen = value };
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
        :: changed -> assert(ready[t]); state = (to); ready[t] = stays_ready
        :: else
        fi
    }
#endif
}

/* Begin a write: take the lock for it, or use this thread's. Returns with `entered`, or not: -EBUSY. */
inline enter()
{
    atomic { entered = false; nested = false; changed = true };
    do
    :: atomic { entered || !changed && i == CONTENDERS -> break }
    :: atomic { !entered && (changed || i != CONTENDERS) -> w = word }
        if
        :: id_of(w) != me -> lock(BUSY); entered = got
        :: id_of(w) == me -> leave_held(make_state(HELD | BUSY), true); nested = changed; entered = changed
        fi
    od
}

inline leave()
{
    if
    :: atomic { nested -> state = make_state(HELD) }
    :: !nested -> clear_state(); give_back()
    fi;
    atomic { nested = false; entered = false }
}

/* What lock() took, unless a signal handler of this thread has given it back: -EPERM. */
inline release()
{
    w = word;
    if
    :: id_of(w) == me ->
#ifdef M_STATE_STAYS
        leave_held(make_state(HELD), false);
#else
        leave_held(0, false);
#endif
        if
        :: changed -> give_back()
        :: !changed -> assert(id_of(word) != me || i == CONTENDERS) /* -EBUSY is for handlers */
        fi
    :: id_of(w) != me -> got = false
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
    round = 0
}

#ifdef HANDLER
active [CONTENDERS] proctype contender() provided (!(_pid == 0 && interrupted))
#else
active [CONTENDERS] proctype contender()
#endif
{
    byte w, old, want, me, seen, round;
    bool swapped, dead, got, gone, late, asked, changed, nested, entered;
    byte i = _pid, t = _pid;

born:
    {
        me = make_id(t);
        do
        :: round < ROUNDS ->
            lock(HELD);
            if
#ifdef HANDLER
            :: got -> enter(); write(); leave(); release()
#else
            :: got -> write(); assert(state == make_state(HELD)); clear_state(); give_back()
#endif
            :: !got
            fi;
            round++
        :: else -> break
        od;
        finished[t] = true
    } unless {
        killed[t] ->
            if
            :: true /* nobody waits for it: a zombie */
            :: exists[t] = false
            :: d_step { births < REBIRTHS -> birth() }
                if
                :: goto born
                :: finished[t] = true /* a stranger that lives on and on */
                fi
            fi
    }
}

#ifdef HANDLER
/* Once, at any step of thread 0: a handler on its stack sets a value, or unlocks. */
active proctype handler()
{
    byte w, old, want, me, seen;
    bool swapped, dead, got, gone, late, asked, changed, nested, entered;
    byte i = CONTENDERS, t = 0;

    {
        if
        :: d_step { !finished[0] && !killed[0] -> interrupted = true; asleep[0] = false /* EINTR */ }
            me = make_id(0);
            if
            :: enter();
                if
                :: entered -> write(); leave()
                :: !entered
                fi
            :: release()
            fi;
            interrupted = false
        :: true
        fi
    } unless { killed[0] }
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
