/* Loaded before the C library, lets the program have only so many threads of its own at a time as HYBRID_TEST_THREADS says: what a
 * limit on processes does, but not for threads of MPI's and drivers' libraries, and for root too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_int running;

struct work {
  void *(*start)(void *);
  void *argument;
};

static void *counted(void *argument) {
  struct work work = *(struct work *)argument;
  free(argument);
  void *result = work.start(work.argument);
  atomic_fetch_sub(&running, 1);
  return result;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
  int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
  Dl_info of;
  const char *limit = getenv("HYBRID_TEST_THREADS");
  const char *name = limit && dladdr((void *)start, &of) && of.dli_fname ? strrchr(of.dli_fname, '/') : NULL;
  if (!name || strcmp(name, "/hybrid") != 0) return create(thread, attributes, start, argument);
  struct work *work = malloc(sizeof *work);
  if (!work) return EAGAIN;
  if (atomic_fetch_add(&running, 1) >= atoi(limit)) {
    atomic_fetch_sub(&running, 1);
    free(work);
    return EAGAIN;
  }
  *work = (struct work){start, argument};
  return create(thread, attributes, counted, work);
}
