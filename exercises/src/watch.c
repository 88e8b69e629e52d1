/* Where a rank is: loaded before the MPI library, it writes each call that may wait into a file of the rank's own, in the folder that
   EXERCISE_WATCH names, when the call begins and when it has ended. So whoever ends a job that hangs knows who waited for whom.
   The line is `CALLS STATE`; ranks are those of the call's communicator. Knows nothing of the exercises. */

#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 160, MOST_REQUESTS = 64 };
static int file = -1;
static long calls = 0;

/* The whole record at once, so that no reader sees half of one. */
static void tell(const char *state) {
    char line[LINE + 1];
    int length = snprintf(line, sizeof line, "%ld %s", calls, state);
    if (length < 0 || file < 0) return;
    if (length > LINE - 1) length = LINE - 1;
    memset(line + length, ' ', LINE - 1 - length);
    line[LINE - 1] = '\n';
    if (pwrite(file, line, LINE, 0) != LINE) file = -1;
}

static void enter(const char *state) {
    ++calls;
    tell(state);
}

static int leave(int code) {
    tell("computes");
    return code;
}

static void begin(void) {
    const char *folder = getenv("EXERCISE_WATCH");
    char path[4096];
    int rank = 0;
    if (folder == NULL) return;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    snprintf(path, sizeof path, "%s/%d", folder, rank);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    tell("computes");
}

int MPI_Init(int *argc, char ***argv) {
    int code = PMPI_Init(argc, argv);
    begin();
    return code;
}

int MPI_Init_thread(int *argc, char ***argv, int wanted, int *given) {
    int code = PMPI_Init_thread(argc, argv, wanted, given);
    begin();
    return code;
}

int MPI_Finalize(void) {
    enter("ended");
    return PMPI_Finalize();
}

/* `CALL WAY PARTNER TAG`; WAY is from or to, and PARTNER or TAG may be any. */
static void describe(char state[LINE], const char *call, const char *way, int partner, int tag) {
    char who[16] = "any", which[16] = "any";
    if (partner != MPI_ANY_SOURCE) snprintf(who, sizeof who, "%d", partner);
    if (tag != MPI_ANY_TAG) snprintf(which, sizeof which, "%d", tag);
    snprintf(state, LINE, "%s %s %s %s", call, way, who, which);
}

static void enter_message(const char *call, const char *way, int partner, int tag) {
    char state[LINE];
    describe(state, call, way, partner, tag);
    enter(state);
}

#define SEND(NAME) \
    int MPI_##NAME(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c) { \
        enter_message("MPI_" #NAME, "to", to, tag); \
        return leave(PMPI_##NAME(b, n, t, to, tag, c)); \
    }
SEND(Send)
SEND(Ssend)

int MPI_Recv(void *b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Status *s) {
    enter_message("MPI_Recv", "from", from, tag);
    return leave(PMPI_Recv(b, n, t, from, tag, c, s));
}

int MPI_Probe(int from, int tag, MPI_Comm c, MPI_Status *s) {
    enter_message("MPI_Probe", "from", from, tag);
    return leave(PMPI_Probe(from, tag, c, s));
}

int MPI_Mprobe(int from, int tag, MPI_Comm c, MPI_Message *m, MPI_Status *s) {
    enter_message("MPI_Mprobe", "from", from, tag);
    return leave(PMPI_Mprobe(from, tag, c, m, s));
}

int MPI_Sendrecv(const void *a, int n, MPI_Datatype t, int to, int tag, void *b, int m, MPI_Datatype u, int from, int tag2,
                 MPI_Comm c, MPI_Status *s) {
    enter_message("MPI_Sendrecv", "from", from, tag2);
    return leave(PMPI_Sendrecv(a, n, t, to, tag, b, m, u, from, tag2, c, s));
}

int MPI_Sendrecv_replace(void *b, int n, MPI_Datatype t, int to, int tag, int from, int tag2, MPI_Comm c, MPI_Status *s) {
    enter_message("MPI_Sendrecv_replace", "from", from, tag2);
    return leave(PMPI_Sendrecv_replace(b, n, t, to, tag, from, tag2, c, s));
}

/* What is under way, so that a wait can say for whom. */
static struct { MPI_Request request; char what[LINE]; } under_way[MOST_REQUESTS];

static int remember(int code, MPI_Request request, const char *way, int partner, int tag) {
    static int next = 0;
    under_way[next].request = request;
    describe(under_way[next].what, "MPI_Wait", way, partner, tag);
    next = (next + 1) % MOST_REQUESTS;
    return code;
}

static void enter_wait(const MPI_Request *request) {
    for (int i = 0; i < MOST_REQUESTS; ++i)
        if (*request != MPI_REQUEST_NULL && under_way[i].request == *request && under_way[i].what[0]) {
            enter(under_way[i].what);
            return;
        }
    enter("MPI_Wait");
}

int MPI_Isend(const void *b, int n, MPI_Datatype t, int to, int tag, MPI_Comm c, MPI_Request *r) {
    int code = PMPI_Isend(b, n, t, to, tag, c, r);
    return remember(code, *r, "to", to, tag);
}

int MPI_Irecv(void *b, int n, MPI_Datatype t, int from, int tag, MPI_Comm c, MPI_Request *r) {
    int code = PMPI_Irecv(b, n, t, from, tag, c, r);
    return remember(code, *r, "from", from, tag);
}

int MPI_Wait(MPI_Request *r, MPI_Status *s) {
    enter_wait(r);
    return leave(PMPI_Wait(r, s));
}

/* Waits for one after the other, so that it is known for which. */
int MPI_Waitall(int n, MPI_Request r[], MPI_Status s[]) {
    int code = MPI_SUCCESS;
    for (int i = 0; i < n && code == MPI_SUCCESS; ++i) {
        enter_wait(&r[i]);
        code = PMPI_Wait(&r[i], s == MPI_STATUSES_IGNORE ? MPI_STATUS_IGNORE : &s[i]);
    }
    return leave(code);
}

#define COLLECTIVE(NAME, PARAMETERS, WORDS) \
    int MPI_##NAME PARAMETERS { \
        enter("MPI_" #NAME " collective"); \
        return leave(PMPI_##NAME WORDS); \
    }
#define IN const void *a, int n, MPI_Datatype t
#define COUNTS const int *
COLLECTIVE(Barrier, (MPI_Comm c), (c))
COLLECTIVE(Bcast, (void *b, int n, MPI_Datatype t, int root, MPI_Comm c), (b, n, t, root, c))
COLLECTIVE(Scatter, (IN, void *b, int m, MPI_Datatype u, int root, MPI_Comm c), (a, n, t, b, m, u, root, c))
COLLECTIVE(Gather, (IN, void *b, int m, MPI_Datatype u, int root, MPI_Comm c), (a, n, t, b, m, u, root, c))
COLLECTIVE(Allgather, (IN, void *b, int m, MPI_Datatype u, MPI_Comm c), (a, n, t, b, m, u, c))
COLLECTIVE(Alltoall, (IN, void *b, int m, MPI_Datatype u, MPI_Comm c), (a, n, t, b, m, u, c))
COLLECTIVE(Scatterv, (const void *a, COUNTS n, COUNTS s, MPI_Datatype t, void *b, int m, MPI_Datatype u, int root, MPI_Comm c),
           (a, n, s, t, b, m, u, root, c))
COLLECTIVE(Gatherv, (IN, void *b, COUNTS m, COUNTS s, MPI_Datatype u, int root, MPI_Comm c), (a, n, t, b, m, s, u, root, c))
COLLECTIVE(Allgatherv, (IN, void *b, COUNTS m, COUNTS s, MPI_Datatype u, MPI_Comm c), (a, n, t, b, m, s, u, c))
COLLECTIVE(Reduce, (const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, int root, MPI_Comm c), (a, b, n, t, o, root, c))
COLLECTIVE(Allreduce, (const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (a, b, n, t, o, c))
COLLECTIVE(Reduce_scatter_block, (const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (a, b, n, t, o, c))
COLLECTIVE(Scan, (const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (a, b, n, t, o, c))
COLLECTIVE(Exscan, (const void *a, void *b, int n, MPI_Datatype t, MPI_Op o, MPI_Comm c), (a, b, n, t, o, c))
