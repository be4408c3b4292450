/* SPDX-License-Identifier: MIT */
/* Steps a traced child through instructions and system calls. */
#include "tracee.h"

#include <elf.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"

unsigned long tracee_steps;

/* ---- the processor ------------------------------------------------------------------------------------ */

#ifdef __x86_64__

typedef struct user_regs_struct registers;

enum { BREAKPOINT_SIZE = 1, CALL_SIZE = 2 };
static const unsigned long breakpoint = 0xcc, call_instruction = 0x050f;

static uint64_t get_pc(const registers *r)
{
    return r->rip;
}

static void set_pc(registers *r, uint64_t pc)
{
    r->rip = pc;
}

static bool is_futex_wait(const registers *r)
{
    return r->rax == SYS_futex && ((int)r->rsi & FUTEX_CMD_MASK) == FUTEX_WAIT;
}

const char *tracee_impossible(void)
{
    return NULL;
}

#elif defined __aarch64__

typedef struct user_regs_struct registers;

enum { BREAKPOINT_SIZE = 4, CALL_SIZE = 4 };
static const unsigned long breakpoint = 0xd4200000, call_instruction = 0xd4000001;

static uint64_t get_pc(const registers *r)
{
    return r->pc;
}

static void set_pc(registers *r, uint64_t pc)
{
    r->pc = pc;
}

static bool is_futex_wait(const registers *r)
{
    return r->regs[8] == SYS_futex && ((int)r->regs[1] & FUTEX_CMD_MASK) == FUTEX_WAIT;
}

/* A step between a load-exclusive and its store loses the reservation, so that the pair is tried for ever. */
const char *tracee_impossible(void)
{
    const unsigned long large_system_extensions = 1 << 8; /* HWCAP_ATOMICS */

    return getauxval(AT_HWCAP) & large_system_extensions
               ? NULL
               : "this processor has no single-instruction atomics: its loops cannot be stepped";
}

#else
#error "single-stepping is written for x86-64 and arm64"
#endif

static registers get_registers(pid_t pid)
{
    registers r;
    struct iovec all = {&r, sizeof r};

    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all) != 0)
        die("cannot read the registers of %d: %s", (int)pid, strerror(errno));
    return r;
}

static uint64_t where(pid_t pid)
{
    registers r = get_registers(pid);

    return get_pc(&r);
}

static unsigned long peek(pid_t pid, uint64_t address)
{
    long word;

    errno = 0;
    word = ptrace(PTRACE_PEEKTEXT, pid, address, NULL);
    if (errno)
        die("cannot read the text of %d: %s", (int)pid, strerror(errno));
    return (unsigned long)word;
}

static void poke(pid_t pid, uint64_t address, unsigned long word)
{
    if (ptrace(PTRACE_POKETEXT, pid, address, word) != 0)
        die("cannot write the text of %d: %s", (int)pid, strerror(errno));
}

static unsigned long low_bytes(unsigned long word, int bytes)
{
    return word & ((1UL << 8 * bytes) - 1);
}

static bool would_sleep(pid_t pid, const registers *r)
{
    return is_futex_wait(r) && low_bytes(peek(pid, get_pc(r)), CALL_SIZE) == call_instruction;
}

/* ---- processes ---------------------------------------------------------------------------------------- */

struct stage *stage_new(void)
{
    void *page = mmap(NULL, sizeof(struct stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        die("no memory for the stage");
    return page;
}

enum stop { AT_TRAP, AT_SYSTEM_CALL, AT_MARK, ENDED };

/*
 * The state that the tracee has come to. Anything but an end of its own or an expected stop is a failure of the test.
 */
static enum stop collect(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, __WALL) != pid)
        die("cannot wait for %d: %s", (int)pid, strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return ENDED;
    if (!WIFSTOPPED(status))
        die("the tracee ended with status %#x", (unsigned)status);
    switch (WSTOPSIG(status)) {
    case SIGTRAP:
        return AT_TRAP;
    case SIGTRAP | 0x80:
        return AT_SYSTEM_CALL;
    case SIGSTOP:
        return AT_MARK;
    default:
        die("the tracee got signal %d at %#llx", WSTOPSIG(status), (unsigned long long)where(pid));
    }
}

static void resume(pid_t pid, unsigned how)
{
    if (ptrace(how, pid, NULL, NULL) != 0)
        die("cannot go on with %d: %s", (int)pid, strerror(errno));
}

void child_of_a_test(void)
{
    alarm(0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

pid_t tracee_start(void (*body)(const void *), const void *argument)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (pid == 0) {
        child_of_a_test();
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            die("ptrace is not allowed here: %s", strerror(errno));
        body(argument);
        _exit(0);
    }
    if (collect(pid) != AT_MARK)
        die("the tracee did not come to its mark");
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0)
        die("cannot trace %d: %s", (int)pid, strerror(errno));
    return pid;
}

void tracee_mark(void)
{
    syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
}

bool tracee_step(pid_t pid)
{
    resume(pid, PTRACE_SINGLESTEP);
    tracee_steps++;
    return collect(pid) == AT_TRAP;
}

void tracee_let_run(pid_t pid)
{
    resume(pid, PTRACE_CONT);
}

bool tracee_collect(pid_t pid)
{
    return collect(pid) != ENDED;
}

bool tracee_continue(pid_t pid)
{
    tracee_let_run(pid);
    return tracee_collect(pid);
}

bool tracee_to_system_call(pid_t pid)
{
    resume(pid, PTRACE_SYSCALL);
    return collect(pid) == AT_SYSTEM_CALL;
}

void tracee_stop_and_release(pid_t pid)
{
    int status;

    kill(pid, SIGSTOP);
    if (ptrace(PTRACE_DETACH, pid, NULL, NULL) != 0 || waitpid(pid, &status, WUNTRACED) != pid)
        die("cannot let go of %d: %s", (int)pid, strerror(errno));
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
        die("a process that was stopped is not: status %#x", (unsigned)status);
}

void tracee_kill(pid_t pid)
{
    siginfo_t end;

    kill(pid, SIGKILL);
    if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) != 0)
        die("cannot wait for the death of %d: %s", (int)pid, strerror(errno));
}

void tracee_reap(pid_t pid)
{
    if (waitpid(pid, NULL, __WALL) != pid)
        die("cannot reap %d: %s", (int)pid, strerror(errno));
}

bool process_asleep(pid_t pid)
{
    char path[64], state = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    while (state != 'S' && state != 't') {
        FILE *file = fopen(path, "r");

        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            die("no process %d that could sleep", (int)pid);
        fclose(file);
        if (state == 'R' || state == 'D')
            usleep(50);
        else if (state == 'Z')
            die("%d has ended instead of going to sleep", (int)pid);
    }
    return state == 'S';
}

/* At full speed to `address`; false if the process came to a mark or ended before. */
static bool run_to_next(pid_t pid, uint64_t address)
{
    unsigned long text = peek(pid, address);
    enum stop stop;
    registers r;
    struct iovec all = {&r, sizeof r};

    poke(pid, address, (text ^ low_bytes(text, BREAKPOINT_SIZE)) | breakpoint);
    resume(pid, PTRACE_CONT);
    stop = collect(pid);
    if (stop == ENDED)
        return false;
    poke(pid, address, text);
    if (stop != AT_TRAP)
        return false;
    r = get_registers(pid); /* x86 stands behind its breakpoint, arm64 on it */
    set_pc(&r, address);
    if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all) != 0)
        die("cannot set the registers of %d: %s", (int)pid, strerror(errno));
    return true;
}

/* The same, to the visit of it that has so many others before. */
static bool run_to(pid_t pid, uint64_t address, unsigned others)
{
    while (run_to_next(pid, address)) {
        if (others-- == 0)
            return true;
        if (!tracee_step(pid)) /* off the breakpoint's place */
            return false;
    }
    return false;
}

/* ---- the path ----------------------------------------------------------------------------------------- */

enum { RARELY = 4 }; /* a breakpoint that is met more often costs more than the steps it saves */

static void append(struct path *path, uint64_t pc)
{
    if (path->length == path->room) {
        path->room = path->room ? 2 * path->room : 1024;
        path->pc = realloc(path->pc, path->room * sizeof *path->pc);
        if (!path->pc)
            die("no memory for a path");
    }
    path->pc[path->length++] = pc;
}

/* Count the visits of each address on the way; a table with open addressing. */
static void find_visits(struct path *path)
{
    size_t size = 1, last = 0;
    struct seen {
        uint64_t pc;
        unsigned times;
    } * table;

    while (size < 2 * path->length)
        size *= 2;
    table = calloc(size, sizeof *table);
    path->visit = calloc(path->length, sizeof *path->visit);
    path->from = calloc(path->length, sizeof *path->from);
    if (!table || !path->visit || !path->from)
        die("no memory for a path");
    for (size_t k = 0; k < path->length; k++) {
        size_t at = path->pc[k] * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (size - 1);

        while (table[at].times > 0 && table[at].pc != path->pc[k])
            at = (at + 1) & (size - 1);
        table[at].pc = path->pc[k];
        path->visit[k] = table[at].times++;
        if (path->visit[k] < RARELY)
            last = k;
        path->from[k] = last;
    }
    free(table);
}

void path_record(struct path *path, pid_t pid, const struct stage *stage, void (*look)(size_t k))
{
    bool asleep = false;

    memset(path, 0, sizeof *path);
    while (!stage->over && !asleep) {
        registers r = get_registers(pid);

        if (look)
            look(path->length);
        append(path, get_pc(&r));
        asleep = would_sleep(pid, &r);
        if (!asleep && !tracee_step(pid))
            die("the call ended without saying so");
    }
    if (look)
        look(path->length);
    find_visits(path);
}

void path_free(struct path *path)
{
    free(path->pc);
    free(path->visit);
    free(path->from);
}

/* The visits of pc[k] between two points. */
static unsigned visits_between(const struct path *path, size_t from, size_t to, size_t k)
{
    unsigned visits = 0;

    for (size_t i = from; i < to; i++)
        visits += path->pc[i] == path->pc[k];
    return visits;
}

bool path_go(const struct path *path, pid_t pid, size_t at, size_t k)
{
    size_t by_breakpoint = path->from[k < path->length ? k : path->length - 1];

    if (by_breakpoint > at + 8) { /* else steps are as fast */
        if (!run_to(pid, path->pc[by_breakpoint], visits_between(path, at, by_breakpoint, by_breakpoint)))
            return false;
        at = by_breakpoint;
    }
    for (; at < k; at++)
        if (!tracee_step(pid))
            return false;
    return k == path->length || where(pid) == path->pc[k];
}

static bool is_set(const char *variable)
{
    const char *text = getenv(variable);

    return text && strcmp(text, "1") == 0;
}

bool is_long(void)
{
    static int answer = -1;

    if (answer < 0)
        answer = is_set("SEQSHARE_LONG");
    return answer;
}

static bool is_quick(void)
{
    static int answer = -1;

    if (answer < 0)
        answer = is_set("SEQSHARE_QUICK");
    return answer;
}

bool path_wanted(const struct path *path, size_t k)
{
    bool near;

    if (is_quick() && k % PATH_SAMPLE != 0 && k != path->length)
        return false;
    if (path->length <= PATH_SHORT || k == path->length || path->visit[k] < 2)
        return true;
    near = k - path->from[k] < PATH_LOOP;
    return k % PATH_STRIDE == 0 ? near || is_long() : near && is_long();
}
