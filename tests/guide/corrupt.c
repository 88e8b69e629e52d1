/* A bad network: loaded before the MPI library, it changes the last number of whatever a rank receives by one, where the
   environment has HYBRID_CORRUPT, from the message of that number on. An example that does not notice does not check its
   result. Knows nothing of the examples. */

#include <mpi.h>
#include <stdlib.h>

/* The lowest bit of the last of `count` elements; numbers are little-endian. */
static void spoil(void *buffer, int count, MPI_Datatype type) {
    static long messages = 0;
    const char *first = getenv("HYBRID_CORRUPT");
    int size = 0;
    PMPI_Type_size(type, &size);
    if (count > 0 && size > 0 && first != NULL && ++messages >= atol(first))
        ((unsigned char *)buffer)[(size_t)size * (size_t)(count - 1)] ^= 1;
}

/* Of parts of `counts` elements that begin at `starts` the last that is not empty; -1 where all are. */
static int last_part(const int *counts, MPI_Comm comm) {
    int part;
    PMPI_Comm_size(comm, &part);
    while (--part >= 0 && counts[part] == 0) {}
    return part;
}

/* Where a part begins. */
static void *begin(void *buffer, int start, MPI_Datatype type) {
    int element = 0;
    PMPI_Type_size(type, &element);
    return (char *)buffer + (size_t)element * (size_t)start;
}

/* The same for parts: the last number of the last part that is not empty. */
static void spoil_parts(void *buffer, const int *counts, const int *starts, MPI_Datatype type, MPI_Comm comm) {
    int part = last_part(counts, comm);
    if (part >= 0)
        spoil(begin(buffer, starts[part], type), counts[part], type);
}

static int rank_in(MPI_Comm comm) {
    int rank = 0;
    PMPI_Comm_rank(comm, &rank);
    return rank;
}

int MPI_Recv(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm, MPI_Status *status) {
    int code = PMPI_Recv(buffer, count, type, source, tag, comm, status);
    spoil(buffer, count, type);
    return code;
}

int MPI_Mrecv(void *buffer, int count, MPI_Datatype type, MPI_Message *message, MPI_Status *status) {
    int code = PMPI_Mrecv(buffer, count, type, message, status);
    spoil(buffer, count, type);
    return code;
}

/* What is under way to this rank. */
enum { MOST_UNDER_WAY = 64 };
static struct { MPI_Request request; void *buffer; int count; MPI_Datatype type; } under_way[MOST_UNDER_WAY];

static void expect(MPI_Request request, void *buffer, int count, MPI_Datatype type) {
    int i = 0;
    while (i < MOST_UNDER_WAY - 1 && under_way[i].buffer != NULL) ++i;
    under_way[i].request = request;
    under_way[i].buffer = buffer;
    under_way[i].count = count;
    under_way[i].type = type;
}

int MPI_Irecv(void *buffer, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm, MPI_Request *request) {
    int code = PMPI_Irecv(buffer, count, type, source, tag, comm, request);
    expect(*request, buffer, count, type);
    return code;
}

int MPI_Imrecv(void *buffer, int count, MPI_Datatype type, MPI_Message *message, MPI_Request *request) {
    int code = PMPI_Imrecv(buffer, count, type, message, request);
    expect(*request, buffer, count, type);
    return code;
}

int MPI_Ibcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request) {
    int code = PMPI_Ibcast(buffer, count, type, root, comm, request);
    if (rank_in(comm) != root)
        expect(*request, buffer, count, type);
    return code;
}

/* Of all ranks' parts, which are of one size, the last is spoilt. */
int MPI_Iallgather(const void *from, int n, MPI_Datatype t, void *to, int count, MPI_Datatype type, MPI_Comm comm,
                   MPI_Request *request) {
    int size = 0, code = PMPI_Iallgather(from, n, t, to, count, type, comm, request);
    PMPI_Comm_size(comm, &size);
    expect(*request, begin(to, count * (size - 1), type), count, type);
    return code;
}

int MPI_Igatherv(const void *from, int n, MPI_Datatype t, void *to, const int *counts, const int *starts,
                 MPI_Datatype type, int root, MPI_Comm comm, MPI_Request *request) {
    int code = PMPI_Igatherv(from, n, t, to, counts, starts, type, root, comm, request);
    int part = rank_in(comm) == root ? last_part(counts, comm) : -1;
    if (part >= 0)
        expect(*request, begin(to, starts[part], type), counts[part], type);
    return code;
}

int MPI_Iallreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm,
                   MPI_Request *request) {
    int code = PMPI_Iallreduce(from, to, count, type, op, comm, request);
    expect(*request, to, count, type);
    return code;
}

static void arrived(MPI_Request request) {
    for (int i = 0; i < MOST_UNDER_WAY; ++i) {
        if (under_way[i].buffer != NULL && request == under_way[i].request) {
            spoil(under_way[i].buffer, under_way[i].count, under_way[i].type);
            under_way[i].buffer = NULL;
            return;
        }
    }
}

int MPI_Wait(MPI_Request *request, MPI_Status *status) {
    MPI_Request before = *request;
    int code = PMPI_Wait(request, status);
    arrived(before);
    return code;
}

int MPI_Test(MPI_Request *request, int *flag, MPI_Status *status) {
    MPI_Request before = *request;
    int code = PMPI_Test(request, flag, status);
    if (*flag)
        arrived(before);
    return code;
}

int MPI_Waitall(int count, MPI_Request requests[], MPI_Status statuses[]) {
    MPI_Request before[MOST_UNDER_WAY];
    int known = count < MOST_UNDER_WAY ? count : MOST_UNDER_WAY;
    for (int i = 0; i < known; ++i) before[i] = requests[i];
    int code = PMPI_Waitall(count, requests, statuses);
    for (int i = 0; i < known; ++i) arrived(before[i]);
    return code;
}

int MPI_Sendrecv(const void *from, int n, MPI_Datatype t, int to_rank, int to_tag, void *to, int count, MPI_Datatype type,
                 int source, int tag, MPI_Comm comm, MPI_Status *status) {
    int code = PMPI_Sendrecv(from, n, t, to_rank, to_tag, to, count, type, source, tag, comm, status);
    if (source != MPI_PROC_NULL)
        spoil(to, count, type);
    return code;
}

int MPI_Sendrecv_replace(void *buffer, int count, MPI_Datatype type, int to_rank, int to_tag, int source, int tag,
                         MPI_Comm comm, MPI_Status *status) {
    int code = PMPI_Sendrecv_replace(buffer, count, type, to_rank, to_tag, source, tag, comm, status);
    spoil(buffer, count, type);
    return code;
}

int MPI_Bcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    int code = PMPI_Bcast(buffer, count, type, root, comm);
    if (rank_in(comm) != root)
        spoil(buffer, count, type);
    return code;
}

int MPI_Scatter(const void *from, int n, MPI_Datatype t, void *to, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    int code = PMPI_Scatter(from, n, t, to, count, type, root, comm);
    spoil(to, count, type);
    return code;
}

int MPI_Gather(const void *from, int n, MPI_Datatype t, void *to, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    int code = PMPI_Gather(from, n, t, to, count, type, root, comm);
    if (rank_in(comm) == root)
        spoil(to, count, type);
    return code;
}

int MPI_Allgather(const void *from, int n, MPI_Datatype t, void *to, int count, MPI_Datatype type, MPI_Comm comm) {
    int code = PMPI_Allgather(from, n, t, to, count, type, comm);
    spoil(to, count, type);
    return code;
}

int MPI_Scatterv(const void *from, const int *counts, const int *starts, MPI_Datatype t, void *to, int count,
                 MPI_Datatype type, int root, MPI_Comm comm) {
    int code = PMPI_Scatterv(from, counts, starts, t, to, count, type, root, comm);
    spoil(to, count, type);
    return code;
}

int MPI_Gatherv(const void *from, int n, MPI_Datatype t, void *to, const int *counts, const int *starts,
                MPI_Datatype type, int root, MPI_Comm comm) {
    int code = PMPI_Gatherv(from, n, t, to, counts, starts, type, root, comm);
    if (rank_in(comm) == root)
        spoil_parts(to, counts, starts, type, comm);
    return code;
}

int MPI_Allgatherv(const void *from, int n, MPI_Datatype t, void *to, const int *counts, const int *starts,
                   MPI_Datatype type, MPI_Comm comm) {
    int code = PMPI_Allgatherv(from, n, t, to, counts, starts, type, comm);
    spoil_parts(to, counts, starts, type, comm);
    return code;
}

int MPI_Reduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm) {
    int code = PMPI_Reduce(from, to, count, type, op, root, comm);
    if (rank_in(comm) == root)
        spoil(to, count, type);
    return code;
}

int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    int code = PMPI_Allreduce(from, to, count, type, op, comm);
    spoil(to, count, type);
    return code;
}

int MPI_Scan(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    int code = PMPI_Scan(from, to, count, type, op, comm);
    spoil(to, count, type);
    return code;
}

int MPI_Exscan(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    int code = PMPI_Exscan(from, to, count, type, op, comm);
    if (rank_in(comm) != 0)
        spoil(to, count, type);
    return code;
}

int MPI_Reduce_scatter_block(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
    int code = PMPI_Reduce_scatter_block(from, to, count, type, op, comm);
    spoil(to, count, type);
    return code;
}

/* Of all ranks' parts, which are of one size, the last is spoilt. */
int MPI_Alltoall(const void *from, int n, MPI_Datatype t, void *to, int count, MPI_Datatype type, MPI_Comm comm) {
    int size = 0, code = PMPI_Alltoall(from, n, t, to, count, type, comm);
    PMPI_Comm_size(comm, &size);
    spoil(begin(to, count * (size - 1), type), count, type);
    return code;
}

int MPI_Alltoallv(const void *from, const int *n, const int *s, MPI_Datatype t, void *to, const int *counts,
                  const int *starts, MPI_Datatype type, MPI_Comm comm) {
    int code = PMPI_Alltoallv(from, n, s, t, to, counts, starts, type, comm);
    spoil_parts(to, counts, starts, type, comm);
    return code;
}

int MPI_File_read_at_all(MPI_File file, MPI_Offset offset, void *buffer, int count, MPI_Datatype type, MPI_Status *status) {
    int code = PMPI_File_read_at_all(file, offset, buffer, count, type, status);
    spoil(buffer, count, type);
    return code;
}
