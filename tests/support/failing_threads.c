/* Loaded before the C library, lets the program start only so many threads of its own as HYBRID_TEST_THREADS says: what a limit
 * on processes does, but for threads of MPI's and drivers' libraries, and for root too. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
  static atomic_int started;
  Dl_info caller;
  const char *limit = getenv("HYBRID_TEST_THREADS");
  if (limit && dladdr((void *)start, &caller) && caller.dli_fname) {
    const char *name = strrchr(caller.dli_fname, '/');
    if (strcmp(name ? name + 1 : caller.dli_fname, "hybrid") == 0 && atomic_fetch_add(&started, 1) >= atoi(limit))
      return EAGAIN;
  }
  int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
  return create(thread, attributes, start, argument);
}
